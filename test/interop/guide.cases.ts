// Each section of docs/guide-plugins-in-typescript.md, from its own text.
import type { Case } from "./case.js";
import { follow, sections } from "./guide.js";

export const cases: Case[] = [...sections().keys()].slice(1).map((title) => ({
  name: `${title === "A Node host for Go plugins" ? "ts->go" : "go->ts"} guide ${title}`,
  // The guide has Go build go-plugin's own examples: where there are fixtures, there is Go.
  needs: ["greeter-netrpc"],
  timeoutMs: 400_000,
  run: ({ signal }) => follow(title, signal),
}));
