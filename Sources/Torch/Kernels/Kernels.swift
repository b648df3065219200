/// Fused passes over memory that the engine has no operator for: float32 on the CPU; on CUDA devices the trunk's activations
/// may be bfloat16. Other devices have none.
///
/// Each agrees with a chain of plain operators, which the tests compare it with. Rows are R = sequences x length; a
/// modulation [sequences, parts d] holds shifts, scales and gates side by side, and a part is one of them.
public enum Kernels {}
