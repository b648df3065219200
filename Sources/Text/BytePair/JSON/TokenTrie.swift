/// A set of byte strings, each with a number. Takes a few bytes for each byte of the strings.
struct TokenTrie: Sendable {
    /// The byte that leads to each node; node 0 is the root.
    private var letters: [UInt8] = [0]
    /// The first child of each node and its next sibling; 0 if there is none.
    private var children: [Int32] = [0]
    private var siblings: [Int32] = [0]
    /// The number of the string that ends at each node, -1 if none does.
    private var ends: [Int32] = [-1]

    /// Among equal strings, the first counts.
    mutating func insert(_ bytes: [UInt8], number: Int) {
        var node = 0
        for byte in bytes {
            var next = child(of: node, byte)
            if next == 0 {
                next = letters.count
                letters.append(byte)
                siblings.append(children[node])
                children[node] = Int32(next)
                children.append(0)
                ends.append(-1)
            }
            node = next
        }
        if ends[node] < 0 { ends[node] = Int32(number) }
    }

    /// The longest string of the set that begins at `start`.
    func longest(in text: UnsafeBufferPointer<UInt8>, at start: Int) -> (length: Int, number: Int)? {
        var found: (Int, Int)?
        var node = 0
        var index = start
        while index < text.count {
            node = child(of: node, text[index])
            guard node != 0 else { break }
            index += 1
            if ends[node] >= 0 { found = (index - start, Int(ends[node])) }
        }
        return found
    }

    private func child(of node: Int, _ byte: UInt8) -> Int {
        var next = Int(children[node])
        while next != 0, letters[next] != byte { next = Int(siblings[next]) }
        return next
    }
}
