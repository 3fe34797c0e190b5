import { open, stat } from "node:fs/promises";

/** ELF's e_machine (offset 18, in the file's own byte order) in Go's names; those that Go builds for. */
const ELF_MACHINES: Readonly<Record<number, string>> = {
  3: "386",
  8: "mips",
  20: "ppc",
  21: "ppc64",
  22: "s390x",
  40: "arm",
  62: "amd64",
  183: "arm64",
  243: "riscv64",
  258: "loong64",
};

/** PE's machine field, the ones that Go builds for. */
const PE_MACHINES: Readonly<Record<number, string>> = {
  332: "386",
  452: "arm",
  25188: "loong64",
  34404: "amd64",
  43620: "arm64",
};

/** Mach-O's cputype. */
const MACHO_MACHINES: Readonly<Record<number, string>> = {
  7: "386",
  12: "arm",
  16777223: "amd64",
  16777228: "arm64",
};

/** Node's name of this machine's architecture in Go's terms. */
function goArch(): string {
  return { x64: "amd64", ia32: "386" }[process.arch as string] ?? process.arch;
}

/** What kind of executable a file's first bytes announce, or undefined when they announce none. */
export function executableKind(head: Buffer): { format: string; machine: string } | undefined {
  if (head.length >= 20 && head.readUInt32BE(0) === 0x7f454c46) {
    const machine = head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18);
    return { format: "ELF", machine: ELF_MACHINES[machine] ?? `machine ${machine}` };
  }
  if (head.length >= 8 && (head.readUInt32LE(0) === 0xfeedfacf || head.readUInt32LE(0) === 0xfeedface)) {
    const machine = head.readUInt32LE(4);
    return { format: "MachO", machine: MACHO_MACHINES[machine] ?? `machine ${machine}` };
  }
  if (head.length >= 64 && head.toString("latin1", 0, 2) === "MZ") {
    const at = head.readUInt32LE(60);
    if (at + 6 <= head.length && head.toString("latin1", at, at + 2) === "PE") {
      const machine = head.readUInt16LE(at + 4);
      return { format: "PE", machine: PE_MACHINES[machine] ?? `machine ${machine}` };
    }
  }
  if (head.length >= 2 && head.toString("latin1", 0, 2) === "#!") {
    const line = head.toString("utf8", 2).split("\n", 1)[0]!.trim();
    return { format: "script", machine: line };
  }
  return undefined;
}

/**
 * Notes on an executable that did not do what a plugin does (go-plugin: internal/cmdrunner's Diagnose and notes): its
 * mode, owner and architecture beside this machine's. Best effort: never rejects.
 */
export async function diagnoseExecutable(path: string): Promise<string> {
  const lines = [
    "This usually means",
    "  the plugin was not compiled for this architecture,",
    "  the plugin is missing dynamic-link libraries necessary to run,",
    "  the plugin is not executable by this process due to file permissions, or",
    "  the plugin failed to negotiate the initial go-plugin protocol handshake",
  ];
  try {
    const info = await stat(path);
    lines.push("", "Additional notes about plugin:", `  Path: ${path}`);
    lines.push(`  Mode: ${info.isDirectory() ? "directory, " : ""}0${(info.mode & 0o7777).toString(8)}`);
    if (process.getuid !== undefined && process.getgid !== undefined) {
      lines.push(`  Owner: ${info.uid} (current: ${process.getuid()})`);
      lines.push(`  Group: ${info.gid} (current: ${process.getgid()})`);
    }
    if (info.isFile()) {
      const kind = executableKind(await readHead(path));
      if (kind?.format === "script") lines.push(`  Script for: ${kind.machine}`);
      else if (kind !== undefined) {
        lines.push(`  ${kind.format} architecture: ${kind.machine} (current architecture: ${goArch()})`);
      } else lines.push("  Format: neither a known executable format nor a script with #!");
    }
  } catch {
    // The file cannot be looked at: the general advice has to do.
  }
  return lines.join("\n");
}

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
