module example.com/goplug/fixtures/legacy/v0

go 1.24

require github.com/hashicorp/go-plugin v0.0.0-20170217162722-f72692aebca2

require (
	example.com/goplug/fixtures/legacy/common v0.0.0
	github.com/hashicorp/yamux v0.0.0-20181012175058-2f1d1f20f75d // indirect
)

replace example.com/goplug/fixtures/legacy/common => ../common
