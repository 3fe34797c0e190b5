// The service of go-fixtures/shared/counter.
import type { MuxBroker, Receiver } from "../../../../src/index.js";
import { counter, helperMethods } from "../../services.js";

function helper(broker: MuxBroker): Receiver<typeof helperMethods> {
  return {
    Sum: ({ A, B }) => A + B + 1000n,
    async Nest({ Depth, Id }) {
      if (Depth <= 0) return [`plugin ${Depth}`];
      const own = broker.serve(helperMethods, helper(broker));
      await using other = await broker.connect(Id, helperMethods);
      return [`plugin ${Depth}`, ...((await other.Nest({ Depth: Depth - 1, Id: own })) ?? [])];
    },
  };
}

const values = new Map<string, bigint>();

export const plugins = {
  counter: counter.implement((broker) => ({
    async Put({ Key, Value, AddServer }) {
      await using host = await broker.connect(AddServer, helperMethods);
      const sum = await host.Sum({ A: values.get(Key) ?? 0n, B: Value });
      values.set(Key, sum);
      return sum;
    },
    Get: (key) => values.get(key) ?? 0n,
    Open: () => broker.serve(helperMethods, helper(broker)),
    Nest: (args, context) => helper(broker).Nest(args, context),
    async AcceptNobody() {
      try {
        (await broker.accept(broker.nextId())).destroy();
      } catch (error) {
        return (error as Error).message;
      }
      throw new Error("somebody dialled");
    },
  })),
};
