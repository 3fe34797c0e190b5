// Definitions that `goplug gen` writes, held against the Go programs that they are of: every method called both ways, with values of
// all kinds that Go's reflection makes.
import assert from "node:assert/strict";
import type { Case } from "./case.js";
import { driveByGoHalf } from "./contracts/go-half.js";
import { compareBinary, type Proof, prove } from "./contracts/prove.js";

function proof(feature: string, needs: string[], of: Proof): Case {
  return {
    name: `go->ts->go definitions of ${feature}`,
    needs,
    timeoutMs: 600_000,
    run: ({ signal }) => prove(of, signal),
  };
}

/** The contract of an executable is that of its source. */
function fromBinary(executable: string, module: string, packages: string[], services: number): Case {
  return {
    name: `go->ts->go definitions from the executable ${executable} alone`,
    needs: [executable],
    timeoutMs: 300_000,
    async run({ signal, bin }) {
      const counts = await compareBinary({ module, packages }, bin(executable), signal);
      assert.equal(counts.services, services);
      assert(counts.types > 0);
    },
  };
}

const goPlugin = "github.com/hashicorp/go-plugin/examples";
const argo = "github.com/argoproj/argo-rollouts";

/** Values of go-cty's types, which have no fields that can be set. */
const ctyValues = `package main

import "github.com/zclconf/go-cty/cty"

func init() {
	custom[typeOf[cty.Type]()] = func(n int64) any {
		return []cty.Type{cty.String, cty.List(cty.Number), cty.Map(cty.Bool)}[n%3]
	}
	custom[typeOf[cty.Value]()] = func(n int64) any { return cty.NumberIntVal(n) }
}
`;

export const cases: Case[] = [
  proof("go-plugin's basic example", ["greeter-netrpc"], {
    module: ".",
    packages: [`${goPlugin}/basic/shared`],
    receivers: { "shared.GreeterRPCServer": 1 },
  }),
  proof("go-plugin's store example", ["greeter-netrpc"], {
    module: ".",
    packages: [`${goPlugin}/grpc/shared`],
    receivers: { "shared.RPCServer": 2 },
  }),
  proof("the fixtures", ["greeter-netrpc"], {
    module: ".",
    packages: ["counter", "errs", "greeter", "kv", "stdio", "stream"].map((name) => `./shared/${name}`),
  }),
  proof("one of everything", ["greeter-netrpc"], {
    module: ".",
    packages: ["./shared/bazaar"],
    extra: `package main

import "example.com/goplug/fixtures/shared/bazaar"

func init() {
	custom[typeOf[bazaar.Opaque]()] = func(n int64) any { return bazaar.NewOpaque(string(rune('a' + n%26))) }
}
`,
    receivers: { "bazaar.Callback": 1, "bazaar.server": 10 },
  }),
  proof("GoatKit's contract", ["goatkit-plugin"], {
    module: ".",
    packages: ["./goatkit/gkplugin"],
    receivers: {
      "gkplugin.GKPluginRPCServer": 3,
      "gkplugin.HostAPIRPCServer": 1,
      "gkplugin.firstServer": 4,
      "gkplugin.jsonServer": 4,
    },
  }),
  proof("Mattermost's whole surface", ["mattermost-plugin"], {
    module: "mattermost",
    packages: ["github.com/mattermost/mattermost/server/public/plugin"],
    receivers: {
      "plugin.apiRPCServer": 242,
      "plugin.dbRPCServer": 20,
      "plugin.hooksRPCServer": 47,
      "plugin.httpResponseWriterRPCServer": 14,
    },
  }),
  proof("argo-rollouts' metric, step and traffic plugins", ["contract-argo"], {
    module: "contracts/argo",
    packages: [
      `${argo}/metricproviders/plugin/rpc`,
      `${argo}/rollout/steps/plugin/rpc`,
      `${argo}/rollout/trafficrouting/plugin/rpc`,
    ],
    receivers: { "rpc.MetricsRPCServer": 7, "rpc.StepRPCServer": 5, "rpc.TrafficRouterRPCServer": 8 },
  }),
  proof("Terraform 0.11's plugins", ["contract-terraform"], {
    module: "contracts/terraform",
    packages: ["github.com/hashicorp/terraform/plugin"],
    extra: ctyValues,
    // go-cty registers its own types, of which its values consist, under names that it makes at run time.
    untold: [
      "github.com/zclconf/go-cty/cty.capsuleType",
      "github.com/zclconf/go-cty/cty.primitiveType",
      "github.com/zclconf/go-cty/cty.setRules",
      "github.com/zclconf/go-cty/cty.typeList",
      "github.com/zclconf/go-cty/cty.typeMap",
      "github.com/zclconf/go-cty/cty.typeObject",
      "github.com/zclconf/go-cty/cty.typeSet",
      "github.com/zclconf/go-cty/cty.typeTuple",
      "github.com/zclconf/go-cty/cty/set.Set",
      "math/big.Float",
    ],
    receivers: {
      "plugin.ResourceProviderServer": 15,
      "plugin.ResourceProvisionerServer": 3,
      "plugin.UIInputServer": 1,
      "plugin.UIOutputServer": 1,
    },
  }),
  fromBinary(
    "all-netrpc",
    ".",
    ["counter", "errs", "stream"].map((name) => `./shared/${name}`),
    4,
  ),
  fromBinary("bazaar-netrpc", ".", ["./shared/bazaar"], 2),
  fromBinary("mattermost-plugin", "mattermost", ["github.com/mattermost/mattermost/server/public/plugin"], 4),
  fromBinary(
    "contract-argo",
    "contracts/argo",
    ["metricproviders/plugin/rpc", "rollout/steps/plugin/rpc", "rollout/trafficrouting/plugin/rpc"].map(
      (name) => `${argo}/${name}`,
    ),
    3,
  ),
  fromBinary("contract-terraform", "contracts/terraform", ["github.com/hashicorp/terraform/plugin"], 4),
  {
    name: "go->ts netrpc a host with the Go half of definitions in TypeScript",
    needs: ["greeter-netrpc"],
    timeoutMs: 300_000,
    run: ({ signal }) => driveByGoHalf(signal),
  },
];
