package jsonata_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/jsonata"
	"github.com/leat-dev/leat/internal/value"
)

// orders is an input with n orders.
func orders(tb testing.TB, n int) any {
	tb.Helper()
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":%d,"customer":{"name":"customer %d","vip":%t},"price":%d.25,"qty":%d,"lines":[{"sku":"a"},{"sku":"b"}]}`,
			i, i, i%3 == 0, i, i%7)
	}
	v, err := value.Parse([]byte(`{"customer":{"name":"someone"},"orders":[` + b.String() + `]}`))
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func BenchmarkEval(b *testing.B) {
	input := orders(b, 100)
	for _, text := range []string{
		`orders.customer.name`,
		`$sum(orders.(price*qty))`,
		`orders[customer.vip].id`,
		`orders^(>price).id`,
		`orders{customer.name: price}`,
		`$map(orders, function($o, $i) { $o.price * $i })`,
		`$reduce(orders.price, function($a, $b) { $a + $b })`,
		`orders.{"id": id, "total": price * qty}`,
		`orders.lines.%.id`,
		`customer.name`,
	} {
		b.Run(text, func(b *testing.B) {
			e, err := jsonata.Compile(text)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, ok, err := e.Eval(input, nil); err != nil || !ok {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jsonata.Compile(`$sum($states.input.orders[status = "open"].(price * qty)) & " in " & $count(orders)`); err != nil {
			b.Fatal(err)
		}
	}
}
