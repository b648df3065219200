# `make help` lists the targets. `make setup` installs everything that the other targets need.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PKG_CONFIG_PATH := $(CURDIR)/.libtorch:$(PKG_CONFIG_PATH)
# Tests start CPU-bound processes: more than there are cores would only slow each other down.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 3

SEDD := .build/release/sedd
MODEL := Models/stories

.PHONY: help setup build demo install uninstall dist test fuzz test-hub test-dist test-server test-page test-kill test-batches test-distributed test-cuda bench bench-operations bench-server format format-check links configuration docs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## find or install libtorch (LIBTORCH=/path uses yours)
	@Scripts/libtorch.sh

build: setup ## build the release binary, .build/release/sedd
	@Scripts/packaging/commit.sh
	swift build -c release --product sedd

PREFIX ?= /usr/local

install: build ## install to PREFIX (default /usr/local), below DESTDIR if it is set
	@Scripts/packaging/install.sh $(SEDD) "$(PREFIX)" "$(DESTDIR)"

uninstall: ## remove what `make install` with the same PREFIX and DESTDIR installed
	@Scripts/packaging/install.sh --remove "$(PREFIX)" "$(DESTDIR)"

dist: build ## create a folder and a .tar.gz in .build/dist that run without the checkout, Swift or Python
	@Scripts/packaging/dist.sh $(SEDD)

demo: build ## watch the bundled model generate text and fill holes
	@Scripts/demo.sh $(SEDD) $(MODEL)

test: setup ## run the unit and command tests, and build the example package as a user of the library would
	@Scripts/arrows.sh
	@Scripts/links.py
	@Scripts/build-tests.sh
	@Scripts/run-tests.sh
	SEDD_EMULATE_CUDA=1 Scripts/run-tests.sh --filter CUDATests
	@Scripts/example.sh

test-hub: build ## test that huggingface_hub reads a cache written by sedd, and the reverse
	@Scripts/hub-test.sh $(SEDD) $(MODEL)

test-dist: dist ## test the archive in a bare Debian (debootstrap and chroot, needs root)
	@Scripts/dist-test.sh

test-server: build ## test the server from outside: the clients of OpenAI, LangChain and LiteLLM, ten thousand malformed requests, two replicas behind nginx
	@Scripts/server-test.sh $(SEDD) $(MODEL)

test-page: build ## test the page of `sedd serve` in a headless Chromium
	@Scripts/page-test.sh $(SEDD) $(MODEL)

test-distributed: build ## test training with several processes: equality, kills, stops, launchers and their restarts, two machines as network namespaces (root)
	@Scripts/distributed-test.sh $(SEDD)

test-cuda: setup ## compile the kernels for CUDA devices (NVRTC, no GPU), and run them emulated on the CPU
	@Scripts/build-tests.sh
	SEDD_EMULATE_CUDA=1 LD_LIBRARY_PATH="$$(Scripts/nvrtc.sh)" Scripts/run-tests.sh --filter CUDATests

test-kill: build ## kill training runs a thousand times (KILLS), also during saves and on full disks, and compare the results byte for byte
	@python3 Tests/Kill/kill_test.py --sedd $(SEDD) --kills $(or $(KILLS),1000) --seed $(or $(SEED),1)

test-batches: build ## draw ten thousand texts (TEXTS) of each model in batches of 1 to 64, on one and two threads, and compare them (hours)
	@python3 Tests/Batches/batch_test.py --sedd $(SEDD) --model $(MODEL) --texts $(or $(TEXTS),10000)

fuzz: setup ## fuzz every file reader, RUNS executions each (default 20000), with coverage and address sanitizer
	@Scripts/fuzz.sh $(or $(RUNS),20000) $(TARGETS)

bench: build ## time training and sampling steps alternately with a plain PyTorch SEDD
	@Scripts/bench.sh $(SEDD)

bench-operations: setup ## time single operations (tokenize, corrupt, loss, reverse step, optimizer, writing)
	cd Benchmarks && BENCHMARK_DISABLE_JEMALLOC=1 swift package benchmark --target Operations --no-progress

bench-server: build ## measure latencies and batching of the server; SOAK=SECONDS adds a soak test
	@python3 Tests/Server/load.py --sedd $(SEDD) --model $(MODEL)
	@if [ -n "$(SOAK)" ]; then python3 Tests/Server/load.py --sedd $(SEDD) --model $(MODEL) --soak $(SOAK); fi

format: ## format the Swift sources
	files=$$(Scripts/sources.sh) && swift format --in-place --parallel --configuration .swift-format $$files

format-check: ## fail if the Swift sources are not formatted
	files=$$(Scripts/sources.sh) && swift format lint --strict --parallel --configuration .swift-format $$files

links: ## check the links of all Markdown files
	@Scripts/links.py

configuration: build ## regenerate docs/CONFIGURATION.md from `sedd config --list`
	@Scripts/configuration.py $(SEDD)

docs: setup links ## build the documentation as a site, .build/docs
	@Scripts/docs.sh .build/docs

clean: ## remove build products; the libtorch cache stays
	rm -rf .build Benchmarks/.build Examples/*/.build
