public import Files

/// An error about a text, a tokenizer or a token file.
public typealias TextError = FileError
