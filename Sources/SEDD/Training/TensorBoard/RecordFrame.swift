internal import Foundation

/// The frame around each record of an event file.
///
/// Little-endian and without padding: the payload's length in eight bytes, the length's masked checksum, the payload,
/// the payload's masked checksum. The length has its own checksum so that a reader never follows a damaged one into the
/// rest of the file.
enum RecordFrame {
    /// `payload` with its frame, ready to be appended to a file.
    static func framing(_ payload: Data) -> Data {
        let length = littleEndian(UInt64(payload.count))
        var frame = Data(capacity: payload.count + 16)
        frame.append(contentsOf: length)
        frame.append(contentsOf: littleEndian(CRC32C.masked(length)))
        frame.append(payload)
        frame.append(contentsOf: littleEndian(CRC32C.masked(payload)))
        return frame
    }

    private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
