/// Inputs of `history`, written out by hand: every kind, outcome and form that a line may have, with and without an
/// order that explains them.
enum HistorySeeds {
    static let all = texts.map { Array($0.utf8) }

    private static let texts = [
        // A read that found what had been replaced.
        """
        {"client":1,"key":"k","op":"write","value":"v0","expect":null,"ok":true,"call":0,"return":10}
        {"client":1,"key":"k","op":"write","value":"v1","expect":null,"ok":true,"call":20,"return":60}
        {"client":2,"key":"k","op":"read","value":"v1","expect":null,"ok":true,"call":25,"return":30}
        {"client":3,"key":"k","op":"read","value":"v0","expect":null,"ok":true,"call":40,"return":50}

        """,
        // Changes of unknown outcome; one value twice.
        """
        {"client":1,"key":"k","op":"write","value":"a","ok":null,"call":-5,"return":null}
        {"client":2,"key":"k","op":"write","value":"a","ok":true,"call":0,"return":9}
        {"client":3,"key":"k","op":"write","value":"b","ok":null,"call":1,"return":4}
        {"client":4,"key":"k","op":"read","value":"b","ok":true,"call":10,"return":11}
        {"client":4,"key":"k","op":"read","value":"a","ok":true,"call":12,"return":13}
        {"client":4,"key":"k","op":"read","value":null,"ok":true,"call":14,"return":15}
        {"client":5,"key":"k","op":"delete","ok":null,"call":3,"return":null}
        """,
        // Compare-and-set, one after the other, and one that failed.
        """
        {"client":1,"key":"k","op":"cas","value":"a","expect":null,"ok":true,"call":0,"return":9}
        {"client":2,"key":"k","op":"cas","value":"b","expect":"a","ok":true,"call":5,"return":12}
        {"client":3,"key":"k","op":"cas","value":null,"expect":"b","ok":true,"call":10,"return":20}
        {"client":4,"key":"k","op":"cas","value":"c","expect":"b","ok":false,"call":21,"return":22}
        {"client":5,"key":"k","op":"cas","value":"d","expect":"c","ok":null,"call":23,"return":null}
        {"client":6,"key":"k","op":"delete","value":null,"expect":null,"ok":false,"call":7,"return":8}
        """,
        // Two keys, members in another order, white space, escapes.
        "{ \"return\" : 9 ,\t\"op\":\"write\",\"call\":5,\"key\":\"\\u006b\",\"value\":\"v\",\"ok\":true,"
            + "\"client\":1 }\r\n \n\n{\"client\":1,\"key\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\u{e9}\","
            + "\"op\":\"read\",\"value\":\"\",\"ok\":true,\"call\":9223372036854775806,\"return\":null}",
        // Everything at one moment.
        """
        {"client":1,"key":"","op":"write","value":"1","ok":true,"call":0,"return":0}
        {"client":2,"key":"","op":"write","value":"2","ok":true,"call":0,"return":0}
        {"client":3,"key":"","op":"read","value":"2","ok":true,"call":0,"return":0}
        {"client":4,"key":"","op":"read","value":"1","ok":true,"call":0,"return":0}
        """,
    ]
}
