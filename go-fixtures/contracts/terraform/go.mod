module example.com/goplug/fixtures/terraform

go 1.24.0

require github.com/hashicorp/terraform v0.11.15

require (
	github.com/agext/levenshtein v1.2.1 // indirect
	github.com/apparentlymart/go-cidr v0.0.0-20170616213631-2bd8b58cf427 // indirect
	github.com/apparentlymart/go-textseg v0.0.0-20170531203952-b836f5c4d331 // indirect
	github.com/armon/go-radix v0.0.0-20160115234725-4239b77079c7 // indirect
	github.com/aws/aws-sdk-go v1.16.36 // indirect
	github.com/bgentry/go-netrc v0.0.0-20140422174119-9fd32a8b3d3d // indirect
	github.com/bgentry/speakeasy v0.0.0-20161015143505-675b82c74c0e // indirect
	github.com/blang/semver v0.0.0-20170202183821-4a1e882c79dc // indirect
	github.com/golang/protobuf v1.2.0 // indirect
	github.com/hashicorp/errwrap v1.0.0 // indirect
	github.com/hashicorp/go-cleanhttp v0.5.0 // indirect
	github.com/hashicorp/go-getter v0.0.0-20180327010114-90bb99a48d86 // indirect
	github.com/hashicorp/go-hclog v0.0.0-20170716174523-b4e5765d1e5f // indirect
	github.com/hashicorp/go-multierror v1.0.0 // indirect
	github.com/hashicorp/go-plugin v0.0.0-20180125190438-e53f54cbf51e // indirect
	github.com/hashicorp/go-safetemp v0.0.0-20180326211150-b1a1dbde6fdc // indirect
	github.com/hashicorp/go-uuid v1.0.1 // indirect
	github.com/hashicorp/go-version v1.0.0 // indirect
	github.com/hashicorp/hcl v0.0.0-20170504190234-a4b07c25de5f // indirect
	github.com/hashicorp/hcl2 v0.0.0-20180308163058-5f8ed954abd8 // indirect
	github.com/hashicorp/hil v0.0.0-20170627220502-fa9f258a9250 // indirect
	github.com/hashicorp/yamux v0.0.0-20160720233140-d1caa6c97c9f // indirect
	github.com/jmespath/go-jmespath v0.0.0-20180206201540-c2b33e8439af // indirect
	github.com/mattn/go-isatty v0.0.0-20161123143637-30a891c33c7c // indirect
	github.com/mitchellh/cli v0.0.0-20171129193617-33edc47170b5 // indirect
	github.com/mitchellh/copystructure v0.0.0-20170525013902-d23ffcb85de3 // indirect
	github.com/mitchellh/go-homedir v0.0.0-20161203194507-b8bc1bf76747 // indirect
	github.com/mitchellh/go-testing-interface v0.0.0-20170730050907-9a441910b168 // indirect
	github.com/mitchellh/go-wordwrap v0.0.0-20150314170334-ad45545899c7 // indirect
	github.com/mitchellh/hashstructure v0.0.0-20160209213820-6b17d669fac5 // indirect
	github.com/mitchellh/mapstructure v0.0.0-20170307201123-53818660ed49 // indirect
	github.com/mitchellh/reflectwalk v0.0.0-20170726202117-63d60e9d0dbc // indirect
	github.com/oklog/run v1.0.0 // indirect
	github.com/posener/complete v0.0.0-20171219111128-6bee943216c8 // indirect
	github.com/ulikunitz/xz v0.5.4 // indirect
	github.com/zclconf/go-cty v0.0.0-20180302160414-49fa5e03c418 // indirect
	golang.org/x/crypto v0.0.0-20180211211603-9de5f2eaf759 // indirect
	golang.org/x/net v0.0.0-20190213061140-3a22650c66bd // indirect
	golang.org/x/sys v0.0.0-20181026203630-95b1ffbd15a5 // indirect
	golang.org/x/text v0.3.0 // indirect
	google.golang.org/genproto v0.0.0-20171002232614-f676e0f3ac63 // indirect
	google.golang.org/grpc v0.0.0-20170809211603-7657092a1303 // indirect
)
