import Torch

/// k-means: the best of five runs of Lloyd's algorithm, each from points drawn without replacement.
enum Clusters {
    static let runs = 5
    static let greatestIterations = 500

    /// The cluster index of each row of `data` [N, d], float64.
    static func labels(_ data: Tensor, count: Int, seed: UInt64) throws -> [Int] {
        var best: (objective: Double, labels: [Int])?
        for run in 0..<runs {
            let found = try self.run(data, count: count, stream: RandomStream(seed: seed, purpose: .clusters), run)
            if found.objective < best?.objective ?? .infinity { best = found }
        }
        return best?.labels ?? []
    }

    private static func run(
        _ data: Tensor, count: Int, stream: RandomStream, _ run: Int
    ) throws -> (objective: Double, labels: [Int]) {
        let rows = try data.shape[0]
        var order = Array(0..<rows)
        for place in 0..<count {
            order.swapAt(place, place + stream.integer(below: rows - place, step: run, sequence: 0, position: place))
        }
        var centres = try data.rows(Tensor(Array(order.prefix(count))))  // [k, d]
        let lengths = try (data * data).sum(1)  // [N]
        var labels: [Int] = []
        var objective = Double.infinity
        for _ in 0..<greatestIterations {
            // argmin |x - c|^2 = argmin |c|^2 - 2 x c.
            let near = try data.matmul(centres.transposed(0, 1)) * 2 - (centres * centres).sum(1)  // [N, k]
            let found = try near.argmax(1).array(Int.self)
            objective = try (lengths - near.maximum(1)).sum().item()
            guard found != labels else { break }
            labels = found
            centres = try means(data, labels, count, distances: (lengths - near.maximum(1)).array())
        }
        return (objective, labels)
    }

    /// The mean of each cluster; an empty cluster is moved to the row farthest from its own centre.
    private static func means(
        _ data: Tensor, _ labels: [Int], _ count: Int, distances: [Double]
    ) throws -> Tensor {
        let index = try Tensor(labels, shape: [labels.count, 1])  // [N, 1]
        let members = try Tensor.zeros([labels.count, count], dtype: .float64).scattered(1, index, value: 1)  // [N, k]
        var sizes: [Double] = try members.sum(0).array()
        var sums = try members.transposed(0, 1).matmul(data)  // [k, d]
        let empty = sizes.indices.filter { sizes[$0] == 0 }
        if !empty.isEmpty {
            let far = distances.indices.sorted { (distances[$1], $0) < (distances[$0], $1) }.prefix(empty.count)
            for (cluster, row) in zip(empty, far) {
                sizes[cluster] = 1
                let place = try Tensor.zeros([count, 1], dtype: .float64)
                    .scattered(0, Tensor([cluster], shape: [1, 1]), value: 1)
                sums = try sums + place * data.narrowed(0, from: row, length: 1)
            }
        }
        return try sums / Tensor(sizes, shape: [count, 1])  // [k, d]
    }
}
