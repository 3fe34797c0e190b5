package main

import (
	"database/sql/driver"
	"fmt"
	"io"
	"strings"
)

// query reads two rows through the server's database driver, to their end.
func (p *goplug) query() (string, error) {
	conn, err := p.Driver.Conn(true)
	if err != nil {
		return "", err
	}
	defer p.Driver.ConnClose(conn)
	args := []driver.NamedValue{{Ordinal: 1, Value: "goplug"}}
	rows, err := p.Driver.ConnQuery(conn, "SELECT Name, Age FROM Plugins WHERE Author = $1", args)
	if err != nil {
		return "", err
	}
	defer p.Driver.RowsClose(rows)
	columns := p.Driver.RowsColumns(rows)
	text := strings.Join(columns, ",") + "\n"
	for {
		dest := make([]driver.Value, len(columns))
		switch err := p.Driver.RowsNext(rows, dest); err {
		case nil:
			text += fmt.Sprintf("%v,%v\n", dest[0], dest[1])
		case io.EOF:
			return text, nil
		default:
			return "", err
		}
	}
}
