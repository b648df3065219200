import Files

extension BytePairModel {
    /// Appends the ids of valid UTF-8 text of at most 2 GiB.
    func encode(
        _ text: UnsafeBufferPointer<UInt8>, specials: Bool, with encoder: PieceEncoder, into ids: inout [Int32]
    ) {
        guard findsTokens || specials else {
            return encodeComposed(text, specials: specials, with: encoder, into: &ids)
        }
        segments(of: text, by: added, specials: specials) { segment, id in
            if let id {
                ids.append(id)
            } else {
                encodeComposed(segment, specials: specials, with: encoder, into: &ids)
            }
        }
    }

    /// Normalizes text that contains no tokens to be matched before normalization, and matches those to be found after
    /// it.
    private func encodeComposed(
        _ text: UnsafeBufferPointer<UInt8>, specials: Bool, with encoder: PieceEncoder, into ids: inout [Int32]
    ) {
        guard composes, let composed = ComposedForm.of(text) else {
            return encodeFound(text, specials: specials, with: encoder, into: &ids)
        }
        composed.withUnsafeBufferPointer { encodeFound($0, specials: specials, with: encoder, into: &ids) }
    }

    private func encodeFound(
        _ text: UnsafeBufferPointer<UInt8>, specials: Bool, with encoder: PieceEncoder, into ids: inout [Int32]
    ) {
        guard findsTokens || specials, !addedComposed.isEmpty else {
            return encodePieces(text, with: encoder, into: &ids)
        }
        segments(of: text, by: addedComposed, specials: specials) { segment, id in
            if let id {
                ids.append(id)
            } else {
                encodePieces(segment, with: encoder, into: &ids)
            }
        }
    }

    /// Calls `body` with each segment of a text: a token's id, or nil for the text between tokens.
    private func segments(
        of text: UnsafeBufferPointer<UInt8>, by matcher: AddedTokenMatcher, specials: Bool,
        _ body: (UnsafeBufferPointer<UInt8>, Int32?) -> Void
    ) {
        var start = 0
        matcher.forEachMatch(in: text, skips: { !specials && ($0.special || $0.id == endOfText) }) { match in
            if start < match.range.lowerBound {
                body(UnsafeBufferPointer(rebasing: text[start..<match.range.lowerBound]), nil)
            }
            body(UnsafeBufferPointer(rebasing: text[match.range]), match.id)
            start = match.range.upperBound
        }
        if start < text.count { body(UnsafeBufferPointer(rebasing: text[start...]), nil) }
    }

    private func encodePieces(
        _ text: UnsafeBufferPointer<UInt8>, with encoder: PieceEncoder, into ids: inout [Int32]
    ) {
        merges.slots.withUnsafeBufferPointer { slots in
            merges.results.withUnsafeBufferPointer { results in
                byteIds.withUnsafeBufferPointer { byteIds in
                    ScalarClass.basicPlane.withUnsafeBufferPointer { classes in
                        guard let base = text.baseAddress, let slotBase = slots.baseAddress,
                            let byteBase = byteIds.baseAddress, let classBase = classes.baseAddress
                        else { return }
                        // Without merges the table is empty and its results are never used.
                        let lookup = MergeLookup(
                            slots: slotBase, mask: slots.count - 1, shift: merges.shift,
                            results: results.baseAddress ?? byteBase)
                        switch splitting {
                        case .gpt2:
                            encoder.encode(
                                PieceScanner(base: base, count: text.count, classes: classBase), byteIds: byteBase,
                                lookup, wholePieces, into: &ids)
                        case .lines(let digits):
                            encoder.encode(
                                LineScanner(base: base, count: text.count, classes: classBase, digits: digits),
                                byteIds: byteBase, lookup, wholePieces, into: &ids)
                        }
                    }
                }
            }
        }
    }
}
