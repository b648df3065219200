/// Fused passes over memory that the engine has no operator for; CPU, float32.
///
/// Each agrees with a chain of plain operators, which the tests compare it with. Rows are R = sequences x length; a
/// modulation [sequences, parts d] holds shifts, scales and gates side by side, and a part is one of them.
public enum Kernels {}
