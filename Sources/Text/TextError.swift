public import Files

/// What went wrong with a text, a tokenizer or a token file.
public typealias TextError = FileError
