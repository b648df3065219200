#!/usr/bin/env bash
# The Swift files that people wrote: generated ones (*.pb.swift) are left as their generator makes them.
cd "$(dirname "$0")/.."
git ls-files --cached --others --exclude-standard -- '*.swift' ':!*.pb.swift'
