// Program contract-argo serves argo-rollouts' plugin contracts, without anything behind them.
package main

import (
	"github.com/hashicorp/go-plugin"

	metric "github.com/argoproj/argo-rollouts/metricproviders/plugin/rpc"
	step "github.com/argoproj/argo-rollouts/rollout/steps/plugin/rpc"
	traffic "github.com/argoproj/argo-rollouts/rollout/trafficrouting/plugin/rpc"
)

func main() {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "ARGO_ROLLOUTS_RPC_PLUGIN", MagicCookieValue: "metrics"},
		Plugins: map[string]plugin.Plugin{
			"RpcMetricProviderPlugin": &metric.RpcMetricProviderPlugin{},
			"RpcTrafficRouterPlugin":  &traffic.RpcTrafficRouterPlugin{},
			"RpcStepPlugin":           &step.RpcStepPlugin{},
		},
	})
}
