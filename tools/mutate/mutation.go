package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// mutation is one change of logic.
type mutation struct {
	ID   int    `json:"id"`
	File string `json:"file"` // relative to the module
	Line int    `json:"line"`
	Func string `json:"func"`
	Kind string `json:"kind"`
	Text string `json:"text"`

	Unreached bool `json:"unreached,omitempty"` // no test runs this code

	dropped bool // the change does not compile
}

// String is the place of a change, and what the file of equivalents calls it.
func (m *mutation) String() string {
	text := fmt.Sprintf("%s:%d\t%s", m.File, m.Line, m.key())
	if m.Unreached {
		text += "\t(never run)"
	}
	return text
}

// key names a mutation for as long as the code it changes reads the same, wherever it moves within its function.
func (m *mutation) key() string { return m.File + " " + m.Func + ": " + m.Kind + ": " + m.Text }

// The kinds of change.
const (
	kindTrue     = "true"          // a condition that always holds
	kindFalse    = "false"         // a condition that never holds
	kindBound    = "bound"         // < becomes <=, and so on
	kindFlip     = "flip"          // true becomes false and the reverse
	kindInteger  = "off by one"    // an integer literal, one higher
	kindPlus     = "plus or minus" // + becomes - and the reverse
	kindZero     = "zero field"    // a field of a struct literal is left out
	kindError    = "nil error"     // an error is not returned
	kindCase     = "case value"    // a text of a switch case matches nothing
	kindEmpty    = "empty case"    // the body of a case is gone
	kindRemove   = "remove"        // a statement is gone
	maxTextRunes = 160
)

// edits are insertions into one source file that wrap nested expressions correctly: of those at the same place, what
// was wrapped first is outermost.
type edits struct {
	list []edit
}

type edit struct {
	from, to int
	text     string
	closing  bool
	order    int
}

func (e *edits) wrap(from, to int, before, after string) {
	e.list = append(
		e.list,
		edit{from: from, to: from, text: before, order: len(e.list)},
		edit{from: to, to: to, text: after, closing: true, order: -len(e.list)},
	)
}

func (e *edits) replace(from, to int, text string) {
	e.list = append(e.list, edit{from: from, to: to, text: text, order: len(e.list)})
}

// apply returns the source with the edits made. Edits add no lines, so that a compiler's line is the line of the source.
func (e *edits) apply(source []byte) []byte {
	slices.SortStableFunc(e.list, func(a, b edit) int {
		closingFirst := 0
		if a.closing != b.closing {
			closingFirst = 1
			if a.closing {
				closingFirst = -1
			}
		}
		return cmp.Or(cmp.Compare(a.from, b.from), closingFirst, cmp.Compare(a.order, b.order))
	})
	var out []byte
	at := 0
	for _, edit := range e.list {
		out = append(out, source[at:edit.from]...)
		out = append(out, strings.ReplaceAll(edit.text, "\n", " ")...)
		at = edit.to
	}
	return append(out, source[at:]...)
}

// oneLine is source text as keys and reports show it.
func oneLine(source string) string {
	text := []rune(strings.Join(strings.Fields(source), " "))
	if len(text) > maxTextRunes {
		return string(text[:maxTextRunes]) + "…"
	}
	return string(text)
}

// funcName names the function around a node: its receiver's type and its own name.
func funcName(stack []ast.Node) string {
	for _, node := range stack {
		decl, ok := node.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if decl.Recv == nil || len(decl.Recv.List) == 0 {
			return decl.Name.Name
		}
		kind := decl.Recv.List[0].Type
		for {
			switch t := kind.(type) {
			case *ast.StarExpr:
				kind = t.X
				continue
			case *ast.IndexExpr:
				kind = t.X
				continue
			case *ast.Ident:
				return t.Name + "." + decl.Name.Name
			}
			return decl.Name.Name
		}
	}
	return "-"
}

// isChain reports whether an expression is an && or ||.
func isChain(e ast.Expr) bool {
	b, ok := ast.Unparen(e).(*ast.BinaryExpr)
	return ok && (b.Op == token.LAND || b.Op == token.LOR)
}
