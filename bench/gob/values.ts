// The values that go-fixtures/gobpeer/bench.go makes, made alike.
import * as gob from "../../src/gob/index.js";

export interface Person {
  Name: string;
  Age: number;
  Email: string;
  Active: boolean;
  Score: number;
}

export function person(i: number): Person {
  return {
    Name: `Person ${i}`,
    Age: 20 + (i % 50),
    Email: `p${i}@example.com`,
    Active: i % 2 === 0,
    Score: i * 1.5,
  };
}

const personSchema = gob.struct(
  { Name: gob.string, Age: gob.int, Email: gob.string, Active: gob.bool, Score: gob.float64 },
  { name: "main.Person" },
);

function times<T>(n: number, make: (i: number) => T): T[] {
  return Array.from({ length: n }, (_, i) => make(i));
}

export interface Subject {
  schema: gob.Schema<unknown, unknown>;
  value: unknown;
  /** Operations in one measurement. */
  n: number;
}

function subject<In, Out>(schema: gob.Schema<In, Out>, value: NoInfer<In>, n: number): Subject {
  return { schema: schema as gob.Schema<unknown, unknown>, value, n };
}

export const subjects: Record<string, Subject> = {
  person: subject(personSchema, person(4321), 200_000),
  persons: subject(gob.slice(personSchema), times(1e4, person), 40),
  floats: subject(
    gob.slice(gob.float64),
    times(1e5, (i) => i * 1.1 + 0.1),
    60,
  ),
  ints: subject(
    gob.slice(gob.int),
    times(1e5, (i) => ((i * 7919) % (1 << 24)) - (1 << 23)),
    60,
  ),
  map: subject(gob.map(gob.string, gob.string), new Map(times(1e4, (i) => [`key-${i}`, `value-${i}`])), 40),
  bytes: subject(gob.bytes, Buffer.from(times(1 << 20, (i) => (i * 31) & 255)), 200),
};
