package jsonata

// builtin returns the built-in function of a name, or nil. Signatures and the
// counts of parameters that callers of higher-order functions see are those
// of the public implementation.
func builtin(name string) *native {
	for _, group := range []func(string) *native{stringFunction, numberFunction, arrayFunction, objectFunction, otherFunction} {
		if f := group(name); f != nil {
			f.name = name
			return f
		}
	}
	return nil
}

// IsBuiltin reports whether a built-in function has this name.
func IsBuiltin(name string) bool { return builtin(name) != nil }

type implementation = func(c *callContext, args []any) (any, error)

// define makes a function of a signature that is known to be right.
func define(signature string, params int, call implementation) *native {
	sig, err := parseSignature(signature)
	if err != nil {
		return nil
	}
	return &native{params: params, sig: sig, call: call}
}

func stringFunction(name string) *native {
	switch name {
	case "string":
		return define("<x-b?:s>", 1, callString)
	case "substring":
		return define("<s-nn?:s>", 3, callSubstring)
	case "substringBefore":
		return define("<s-s:s>", 2, callSubstringBefore)
	case "substringAfter":
		return define("<s-s:s>", 2, callSubstringAfter)
	case "lowercase":
		return define("<s-:s>", 1, callLowercase)
	case "uppercase":
		return define("<s-:s>", 1, callUppercase)
	case "length":
		return define("<s-:n>", 1, callLength)
	case "trim":
		return define("<s-:s>", 1, callTrim)
	case "pad":
		return define("<s-ns?:s>", 3, callPad)
	case "match":
		return define("<s-f<s:o>n?:a<o>>", 3, callMatch)
	case "contains":
		return define("<s-(sf):b>", 2, callContains)
	case "replace":
		return define("<s-(sf)(sf)n?:s>", 4, callReplace)
	case "split":
		return define("<s-(sf)n?:a<s>>", 3, callSplit)
	case "join":
		return define("<a<s>s?:s>", 2, callJoin)
	case "base64encode":
		return define("<s-:s>", 1, callBase64Encode)
	case "base64decode":
		return define("<s-:s>", 1, callBase64Decode)
	case "encodeUrlComponent", "encodeUrl":
		return define("<s-:s>", 1, encodeURL(name))
	case "decodeUrlComponent", "decodeUrl":
		return define("<s-:s>", 1, decodeURL(name))
	}
	return nil
}

func numberFunction(name string) *native {
	switch name {
	case "sum", "max", "min", "average":
		return define("<a<n>:n>", 1, aggregate(name))
	case "number":
		return define("<(nsb)-:n>", 1, callNumber)
	case "floor", "ceil", "abs", "sqrt":
		return define("<n-:n>", 1, unary(name))
	case "round":
		return define("<n-n?:n>", 2, callRound)
	case "power":
		return define("<n-n:n>", 2, callPower)
	case "random":
		return define("<:n>", 0, callRandom)
	case "formatNumber":
		return define("<n-so?:s>", 3, callFormatNumber)
	case "formatBase":
		return define("<n-n?:s>", 2, callFormatBase)
	case "formatInteger":
		return define("<n-s:s>", 2, callFormatInteger)
	case "parseInteger":
		return define("<s-s:n>", 2, callParseInteger)
	}
	return nil
}

func arrayFunction(name string) *native {
	switch name {
	case "count":
		return define("<a:n>", 1, callCount)
	case "map":
		return define("<af>", 2, callMap)
	case "filter":
		return define("<af>", 2, callFilter)
	case "single":
		return define("<af?>", 2, callSingle)
	case "reduce":
		return define("<afj?:j>", 3, callReduce)
	case "zip":
		return define("<a+>", 0, callZip)
	case "append":
		return define("<xx:a>", 2, callAppend)
	case "reverse":
		return define("<a:a>", 1, callReverse)
	case "sort":
		return define("<af?:a>", 2, callSort)
	case "shuffle":
		return define("<a:a>", 1, callShuffle)
	case "distinct":
		f := define("<x:x>", 1, callDistinct)
		f.raw = true
		return f
	}
	return nil
}

func objectFunction(name string) *native {
	switch name {
	case "keys":
		return define("<x-:a<s>>", 1, callKeys)
	case "lookup":
		return define("<x-s:x>", 2, callLookup)
	case "spread":
		return define("<x-:a<o>>", 1, callSpread)
	case "merge":
		return define("<a<o>:o>", 1, callMerge)
	case "each":
		return define("<o-f:a>", 2, callEach)
	case "sift":
		return define("<o-f?:o>", 2, callSift)
	case "clone":
		return define("<(oa)-:o>", 1, callClone)
	}
	return nil
}

func otherFunction(name string) *native {
	switch name {
	case "boolean":
		return define("<x-:b>", 1, callBoolean)
	case "not":
		return define("<x-:b>", 1, callNot)
	case "exists":
		return define("<x:b>", 1, callExists)
	case "type":
		return define("<x:s>", 1, callType)
	case "error":
		return define("<s?:x>", 1, callError)
	case "assert":
		return define("<bs?:x>", 2, callAssert)
	case "eval":
		return define("<sx?:x>", 2, callEval)
	case "now":
		return define("<s?s?:s>", 2, callNow)
	case "millis":
		return define("<:n>", 0, callMillis)
	case "fromMillis":
		return define("<n-s?s?:s>", 3, callFromMillis)
	case "toMillis":
		return define("<s-s?:n>", 2, callToMillis)
	}
	return nil
}
