package asl

import (
	"crypto/md5"  //nolint:gosec // States.Hash offers it
	"crypto/sha1" //nolint:gosec // States.Hash offers it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/value"
)

// maxDataCharacters bounds what Base64Encode, Base64Decode and Hash take.
const maxDataCharacters = 10000

func formatText(_ *scope, a []any) (any, error) {
	template, err := textOf(a[0])
	if err != nil {
		return nil, err
	}
	args := a[1:]
	var b strings.Builder
	for i := 0; i < len(template); i++ {
		c := template[i]
		switch {
		case c == '\\' && i+1 < len(template) && strings.IndexByte(`{}\'`, template[i+1]) >= 0:
			i++
			b.WriteByte(template[i])
		case c == '{' && strings.HasPrefix(template[i:], "{}"):
			if len(args) == 0 {
				return nil, errors.New("the number of arguments does not match the occurrences of {}")
			}
			i++
			b.WriteString(javaText(args[0]))
			args = args[1:]
		case c == '{' || c == '}':
			return nil, errors.New("braces other than {} must be escaped")
		default:
			b.WriteByte(c)
		}
	}
	if len(args) > 0 {
		return nil, errors.New("the number of arguments does not match the occurrences of {}")
	}
	return b.String(), nil
}

func stringToJSON(_ *scope, a []any) (any, error) {
	if a[0] == nil {
		return nil, nil
	}
	s, err := textOf(a[0])
	if err != nil || strings.TrimSpace(s) == "" {
		return nil, err
	}
	v, err := value.Parse([]byte(s))
	if f, ok := value.Number(v); ok && f == 0 {
		return int64(0), err
	}
	return v, err
}

func dataOf(v any) (string, error) {
	s, err := textOf(v)
	if err == nil && utf8.RuneCountInString(s) > maxDataCharacters {
		err = fmt.Errorf("the data exceeds %d characters", maxDataCharacters)
	}
	return s, err
}

func base64Encode(_ *scope, a []any) (any, error) {
	s, err := dataOf(a[0])
	return base64.StdEncoding.EncodeToString([]byte(s)), err
}

func base64Decode(_ *scope, a []any) (any, error) {
	s, err := dataOf(a[0])
	if err != nil {
		return nil, err
	}
	out, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		out, err = base64.RawStdEncoding.DecodeString(s)
	}
	return strings.ToValidUTF8(string(out), "\uFFFD"), err
}

func hashText(_ *scope, a []any) (any, error) {
	s, ok := a[0].(string)
	if !ok {
		s = value.String(a[0])
	}
	if _, err := dataOf(s); err != nil {
		return nil, err
	}
	data := []byte(s)
	switch a[1] {
	case "MD5":
		h := md5.Sum(data) //nolint:gosec // asked for
		return hex.EncodeToString(h[:]), nil
	case "SHA-1":
		h := sha1.Sum(data) //nolint:gosec // asked for
		return hex.EncodeToString(h[:]), nil
	case "SHA-256":
		h := sha256.Sum256(data)
		return hex.EncodeToString(h[:]), nil
	case "SHA-384":
		h := sha512.Sum384(data)
		return hex.EncodeToString(h[:]), nil
	case "SHA-512":
		h := sha512.Sum512(data)
		return hex.EncodeToString(h[:]), nil
	}
	return nil, errors.New("the algorithm must be one of MD5, SHA-1, SHA-256, SHA-384, SHA-512")
}

func jsonMerge(_ *scope, a []any) (any, error) {
	x, ok := a[0].(*value.Object)
	y, ok2 := a[1].(*value.Object)
	if !ok || !ok2 {
		return nil, errors.New("an object is expected")
	}
	deep, ok := a[2].(bool)
	if !ok {
		return nil, errors.New("the third argument must be a boolean")
	}
	if deep {
		return nil, errors.New("deep merge is not supported")
	}
	out := x.Clone()
	for k, v := range y.All() {
		out.Set(k, v)
	}
	return out, nil
}

// mathRandom draws a whole number from start, which may be drawn, to end, which may not.
func mathRandom(sc *scope, a []any) (any, error) {
	start, err := wholeOf(a[0])
	if err != nil {
		return nil, err
	}
	end, err := wholeOf(a[1])
	if err != nil {
		return nil, err
	}
	if start >= end || end-start <= 0 {
		return nil, errors.New("the start must be less than the end")
	}
	source := sc.chance()
	if len(a) == 3 {
		seed, err := wholeOf(a[2])
		if err != nil {
			return nil, err
		}
		source = seeded(seed)
	}
	return start + source.Int64N(end-start), nil
}

func mathAdd(_ *scope, a []any) (any, error) {
	x, err := wholeOf(a[0])
	if err != nil {
		return nil, err
	}
	y, err := wholeOf(a[1])
	if err != nil {
		return nil, err
	}
	for _, n := range []int64{x, y} {
		if n < math.MinInt32 || n > math.MaxInt32 {
			return nil, fmt.Errorf("%d is out of the range of integers", n)
		}
	}
	return x + y, nil
}

// stringSplit splits at any of the delimiting characters; what is empty is left out.
func stringSplit(_ *scope, a []any) (any, error) {
	s, err := textOf(a[0])
	if err != nil {
		return nil, err
	}
	cut, err := textOf(a[1])
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(cut, r) }) {
		out = append(out, part)
	}
	return out, nil
}

func newUUID(sc *scope, _ []any) (any, error) { return uuidFrom(sc.chance()), nil }

// uuidFrom makes a UUID of version 4.
func uuidFrom(random *rand.Rand) string {
	high, low := random.Uint64(), random.Uint64()
	high = high&^0xf000 | 0x4000
	low = low&^(3<<62) | 1<<63
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", high>>32, high>>16&0xffff, high&0xffff, low>>48, low&0xffffffffffff)
}
