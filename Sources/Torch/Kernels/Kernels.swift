/// Fused kernels for passes that libtorch has no operator for: float32 on the CPU; on CUDA devices activations of the
/// trunk may be bfloat16. Other devices have none.
///
/// Each agrees with a sequence of plain operators, against which it is tested. Rows are R = sequences x length; a
/// modulation [sequences, n d] holds n slices of width d side by side: shifts, scales and gates.
public enum Kernels {}
