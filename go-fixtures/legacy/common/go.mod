module example.com/goplug/fixtures/legacy/common

go 1.24
