import Testing

@testable import SEDDServer

struct RequestTargetTests {
    @Test(arguments: [
        ("/v1/models", "/v1/models"), ("/v1/%6Dodels", "/v1/models"),
        ("/v1/models/org%2Fname", "/v1/models/org%2Fname"),
        ("/%7e%2D%2e%5F%41%7A%30", "/~-._Az0"), ("/a?b=%41", "/a?b=%41"), ("/%", "/%"), ("/%4", "/%4"),
        ("/%zz", "/%zz"),
        ("/%C3%A9", "/%C3%A9"), ("/%2541", "/%2541"), ("*", "*"),
    ])
    func spellings(_ target: String, _ expected: String) {
        #expect(RequestTarget.normalized(target) == expected)
    }

    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (1_709_164_799, "Wed, 28 Feb 2024 23:59:59 GMT"),
    ])
    func dates(_ seconds: Int, _ expected: String) {
        #expect(HTTPDate.string(seconds) == expected)
    }
}
