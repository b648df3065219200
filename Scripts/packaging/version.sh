#!/usr/bin/env bash
# Prints the version: the one constant that `sedd --version`, the archive and the documentation share.
sed -n 's/.*static let number = "\(.*\)".*/\1/p' "$(dirname "$0")/../../Sources/sedd/Version.swift"
