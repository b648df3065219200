#!/usr/bin/env bash
# The hand-written Swift files, without generated ones (*.pb.swift).
cd "$(dirname "$0")/.."
git ls-files --cached --others --exclude-standard -- '*.swift' ':!*.pb.swift'
