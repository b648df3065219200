import Files
import Foundation
import Testing
import Torch

/// Device names, and the error for a missing device.
@Suite struct DeviceTests {
    @Test(arguments: [
        "", "gpu", "CPU", " cpu", "cuda:", "cuda:x", "cuda:-1", "cuda:0:0", ":0", "mps:1.5",
        "cuda:99999999999999999999",
    ])
    func namesThatAreUnknown(name: String) {
        expectError(.device, ["device '\(name)' is unknown", "cpu, cuda or cuda:N"], name) { _ = try Device(name) }
    }

    @Test func theProcessor() throws {
        #expect(try Device("cpu") == .cpu)
        #expect(try Device("cpu:0") == .cpu)
        #expect(Device.cpu.description == "cpu")
        #expect(try Device.count(of: .cpu) == 1)
        expectError(.device, ["cpu:1", "1 of kind cpu found"], "a second processor") { _ = try Device("cpu:1") }
        try Device.cpu.synchronize()
    }

    @Test(arguments: ["cuda", "cuda:0", "mps"])
    func whatIsNotHereIsSaidInALine(name: String) {
        do {
            let device = try Device(name)
            let sum = try Tensor([1, 2] as [Float], device: device).sum().item()
            #expect(sum == 3, "a device that opens computes")
        } catch {
            #expect(error.kind == .device, "\(error)")
            #expect(!error.description.contains("\n"))
            #expect(error.description.contains("--device cpu"), "\(error)")
        }
    }

    @Test func aDeviceBeyondTheLast() {
        let error = #expect(throws: TorchError.self) { try Device("cuda:4000000000") }
        #expect(error?.kind == .device)
    }

    @Test func theEngine() throws {
        #expect(Runtime.version.split(separator: ".").count >= 3)
        #expect(try Runtime.threads() >= 1)
        #expect(FileManager.default.fileExists(atPath: try Runtime.libraryFolder()))
        #expect(try Runtime.parallelInformation().contains("ATen"))
    }
}
