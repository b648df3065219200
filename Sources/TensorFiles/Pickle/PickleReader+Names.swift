import Files

/// The global names that a pickle may reference, and what is done in their place.
extension PickleReader {
    mutating func granted(_ module: String, _ name: String) -> PickleName {
        if let known = PickleName(module: module, name: name) { return known }
        heap.unknown.append("\(module).\(name)")
        return .unknown(heap.unknown.count - 1)
    }

    mutating func stackGlobal() throws(FileError) -> PickleName {
        guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
            throw fault("references a name that is not a string")
        }
        return granted(module, name)
    }

    /// `('storage', type, key, location, count)`; in files before 1.6 also a view of it, `(key, offset, count)` or
    /// None.
    mutating func storage(_ value: PickleValue) throws(FileError) -> PickleValue {
        guard let parts = tuple(value) else { throw fault("references a storage in an unknown way") }
        // Files before 1.6 carry the source code of classes for whole models.
        if case .text("module")? = parts.first, parts.count > 1 { return parts[1] }
        guard parts.count == 5 || parts.count == 6, case .text("storage") = parts[0],
            case .global(.storage(let type)) = parts[1], case .text(let key) = parts[2],
            case .integer(let count) = parts[4], count >= 0
        else { throw fault("names a storage in an unknown way") }
        let whole = PickledStorage(type: type, key: key, count: count)
        guard heap.storages[key, default: whole] == whole else {
            throw fault("references storage '\(key)' inconsistently")
        }
        heap.storages[key] = whole
        guard parts.count == 6, let view = tuple(parts[5]) else {
            return .storage(whole)
        }
        guard view.count == 3, case .integer(let offset) = view[1], case .integer(let size) = view[2], offset >= 0,
            size >= 0, case let (end, overflow) = offset.addingReportingOverflow(size), !overflow, end <= count
        else { throw fault("names a view of a storage that reaches outside it") }
        return .storage(PickledStorage(type: type, key: key, count: size, offset: offset))
    }

    mutating func built(_ callable: PickleValue, _ arguments: PickleValue) throws(FileError) -> PickleValue {
        if case .opaque(let index) = callable { return .opaque(index) }
        guard case .global(let name) = callable, let parts = tuple(arguments) else {
            throw fault("calls something other than a known name")
        }
        switch name {
        case .orderedDictionary: return try ordered(parts)
        case .rebuildParameter:
            guard case .tensor = parts.first else {
                throw fault("creates a parameter from something other than a tensor")
            }
            return parts[0]
        case .rebuildTensor: return .tensor(try tensor(parts))
        case .ignored: return .opaque(nil)
        case .unknown(let index): return .opaque(index)
        case .storage(let name): throw fault("calls torch.\(name), which does not build a tensor")
        }
    }

    private mutating func ordered(_ parts: [PickleValue]) throws(FileError) -> PickleValue {
        let place = heap.addTable()
        guard let first = parts.first else { return .dictionary(place) }
        guard case .list(let pairs) = first else { throw fault("fills an ordered dictionary in an unknown way") }
        try spend(heap.sequences[pairs].count)
        for pair in heap.sequences[pairs] {
            guard let two = tuple(pair) ?? items(pair), two.count == 2 else {
                throw fault("has a dictionary entry that is not a pair")
            }
            heap.tables[place].append((two[0], two[1]))
        }
        return .dictionary(place)
    }

    private mutating func tensor(_ parts: [PickleValue]) throws(FileError) -> PickledTensor {
        guard parts.count >= 4, case .storage(let storage) = parts[0],
            case .integer(let offset) = parts[1], let sizes = tuple(parts[2]), let steps = tuple(parts[3])
        else { throw fault("builds a tensor in an unknown way") }
        try spend(sizes.count + steps.count)
        let shape = try whole(sizes)
        let strides = try whole(steps)
        guard shape.count == strides.count, shape.count <= 32, offset >= 0 else {
            throw fault("builds a tensor of \(shape.count) sizes with \(strides.count) strides")
        }
        var last = offset
        for (size, stride) in zip(shape, strides) where size > 0 {
            let (reach, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
            let (sum, more) = last.addingReportingOverflow(reach)
            guard !overflow, !more else { throw fault("builds a tensor of impossible shape \(shape)") }
            last = sum
        }
        guard TensorEntry.count(shape) != nil else { throw fault("builds a tensor of impossible shape \(shape)") }
        guard shape.contains(0) || last < storage.count else {
            throw fault("builds a tensor that reaches element \(last) of a storage of \(storage.count)")
        }
        return PickledTensor(storage: storage, offset: offset, shape: shape, strides: strides)
    }

    private func whole(_ values: [PickleValue]) throws(FileError) -> [Int] {
        var result: [Int] = []
        for value in values {
            guard case .integer(let number) = value, number >= 0 else {
                throw fault("has a size that is not an integer")
            }
            result.append(number)
        }
        return result
    }
}
