// Program contract-terraform serves Terraform 0.11's plugin contract, without anything behind it.
package main

import "github.com/hashicorp/terraform/plugin"

func main() { plugin.Serve(&plugin.ServeOpts{}) }
