package jsonata

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

func aggregate(name string) implementation {
	return func(c *callContext, args []any) (any, error) {
		if isUndefined(argument(args, 0)) {
			return Undefined{}, nil
		}
		list := items(args, 0)
		if err := c.spend(len(list)); err != nil {
			return nil, err
		}
		if len(list) == 0 && name != "sum" {
			return Undefined{}, nil
		}
		total := 0.0
		for i, item := range list {
			f, _ := toNumber(item)
			switch {
			case name == "max" && i > 0:
				total = math.Max(total, f)
			case name == "min" && i > 0:
				total = math.Min(total, f)
			default:
				total += f
			}
		}
		if name == "average" {
			total /= float64(len(list))
		}
		return total, nil
	}
}

func unary(name string) implementation {
	return func(_ *callContext, args []any) (any, error) {
		f, ok := toNumber(argument(args, 0))
		if !ok {
			return Undefined{}, nil
		}
		switch name {
		case "floor":
			return math.Floor(f), nil
		case "ceil":
			return math.Ceil(f), nil
		case "abs":
			return math.Abs(f), nil
		}
		if f < 0 {
			return nil, failValue("D3060", f).withIndex(1)
		}
		return math.Sqrt(f), nil
	}
}

var castable = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?$`)

func callNumber(c *callContext, args []any) (any, error) {
	arg := argument(args, 0)
	switch v := arg.(type) {
	case Undefined:
		return v, nil
	case bool:
		if v {
			return 1.0, nil
		}
		return 0.0, nil
	case string:
		if err := c.spend(len(v) / 16); err != nil {
			return nil, err
		}
		if len(v) > 2 && v[0] == '0' {
			base := map[byte]int{'x': 16, 'o': 8, 'b': 2}[v[1]|0x20]
			if n, ok := new(big.Int).SetString(v[2:], max(base, 2)); base > 0 && ok && !strings.ContainsAny(v[2:], "+-_") {
				f, _ := new(big.Float).SetInt(n).Float64()
				return f, nil
			}
		}
		f, err := strconv.ParseFloat(v, 64)
		if !castable.MatchString(v) || err != nil {
			return nil, failValue("D3030", v).withIndex(1)
		}
		return f, nil
	}
	return arg, nil
}

// callRound rounds to a precision; halves go to the even neighbour.
func callRound(_ *callContext, args []any) (any, error) {
	f, ok := toNumber(argument(args, 0))
	if !ok {
		return Undefined{}, nil
	}
	precision, _ := toNumber(argument(args, 1))
	return roundTo(f, precision), nil
}

// roundTo shifts the decimal text, since a product would round by itself.
func roundTo(f, precision float64) float64 {
	p := int(max(-400, min(400, precision)))
	shifted := shift(f, p)
	rounded := math.RoundToEven(shifted)
	return shift(rounded, -p) + 0
}

func shift(f float64, places int) float64 {
	if places == 0 || f == 0 || math.IsInf(f, 0) {
		return f
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	n, err := strconv.Atoi(exponent)
	if err != nil {
		return f
	}
	out, _ := strconv.ParseFloat(mantissa+"e"+strconv.Itoa(n+places), 64)
	return out
}

func callPower(_ *callContext, args []any) (any, error) {
	base, ok := toNumber(argument(args, 0))
	if !ok {
		return Undefined{}, nil
	}
	exponent, ok := toNumber(argument(args, 1))
	f := math.Pow(base, exponent)
	if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
		text := "undefined"
		if ok {
			text = formatNumber(exponent)
		}
		return nil, failValue("D3061", base).withIndex(1).withDetail("exp", text)
	}
	return f, nil
}

func callRandom(c *callContext, _ []any) (any, error) { return c.random(), nil }

// callFormatBase writes a whole number in a base of 2 to 36.
func callFormatBase(_ *callContext, args []any) (any, error) {
	f, ok := toNumber(argument(args, 0))
	if !ok {
		return Undefined{}, nil
	}
	f = roundTo(f, 0)
	base := 10.0
	if b, ok := toNumber(argument(args, 1)); ok {
		base = roundTo(b, 0)
	}
	if base < 2 || base > 36 {
		return nil, failValue("D3100", base)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, failValue("D1001", f)
	}
	n, _ := big.NewFloat(f).Int(nil)
	return n.Text(int(base)), nil
}

// formatNumber writes a number as JavaScript does.
func formatNumber(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0"
	}
	if a := math.Abs(f); a >= 1e-6 && a < 1e21 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	return mantissa + "e" + exponent[:1] + strings.TrimLeft(exponent[1:], "0")
}

// roundDigits rounds a number to 15 significant digits, unless it is whole.
func roundDigits(f float64) float64 {
	if f == math.Trunc(f) {
		return f
	}
	out, err := strconv.ParseFloat(strconv.FormatFloat(f, 'e', 14, 64), 64)
	if err != nil {
		return f
	}
	return out
}
