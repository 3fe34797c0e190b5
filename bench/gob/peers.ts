// Codecs that Node programs use today, on the same values.
import { Packr, Unpackr } from "msgpackr";
import protobuf from "protobufjs";
import type { Person } from "./values.js";

export interface Codec {
  encode(value: unknown): Buffer;
  decode(bytes: Buffer): unknown;
}

const proto = protobuf.parse(`
  syntax = "proto3";
  message Person { string Name = 1; int64 Age = 2; string Email = 3; bool Active = 4; double Score = 5; }
  message Persons { repeated Person items = 1; }
`).root;
const Persons = proto.lookupType("Persons");
const OnePerson = proto.lookupType("Person");

const json: Codec = {
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(bytes.toString("utf8")) as unknown,
};

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false });
const msgpackr: Codec = {
  encode: (value) => packr.pack(value) as Buffer,
  decode: (bytes) => unpackr.unpack(bytes) as unknown,
};

/** Which codecs can hold a bench value. */
export function codecsOf(name: string): Record<string, Codec> {
  if (name === "person")
    return {
      json,
      msgpackr,
      protobufjs: {
        encode: (value) => Buffer.from(OnePerson.encode(value as Person).finish()),
        decode: (bytes) => OnePerson.decode(bytes),
      },
    };
  if (name === "persons")
    return {
      json,
      msgpackr,
      protobufjs: {
        encode: (value) => Buffer.from(Persons.encode({ items: value as Person[] }).finish()),
        decode: (bytes) => Persons.decode(bytes),
      },
    };
  if (name === "floats" || name === "ints") return { json, msgpackr };
  return {};
}
