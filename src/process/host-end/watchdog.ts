import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import type { Writable } from "node:stream";
import { builtin } from "../../builtin.js";

const SHELL = "/bin/sh";

/**
 * Reads lines `+ENTRY` and `-ENTRY` from its stdin, keeps the entries in its positional parameters, and when stdin
 * ends kills and removes what is left of them. A pid is killed only while its process was started when it was at first:
 * pids are used again. In POSIX shell, because a shell starts in a millisecond, takes a megabyte, and is on every
 * system but Windows (where Node's children end with it anyway: it puts them into a job object).
 */
export const WATCHDOG_SCRIPT = `
trap '' HUP INT QUIT TERM USR1 USR2 ALRM
started() {
  if [ -r "/proc/$1/stat" ]; then
    read -r stat < "/proc/$1/stat" && set -- \${stat##*) } && echo "\${20}"
  else
    echo $(ps -o lstart= -p "$1")
  fi
} 2>/dev/null
remove_socket() { if [ -S "$1" ] && [ ! -L "$1" ]; then rm -f -- "$1"; fi; }
while IFS= read -r line; do
  entry=\${line#?}
  case $line in
  "+kill "*)
    set -- "$@" "$entry"
    pid=\${entry#kill }
    eval "start_$pid=\\$(started $pid)" ;;
  +*) set -- "$@" "$entry" ;;
  -*)
    for other; do
      shift
      if [ "$other" != "$entry" ]; then set -- "$@" "$other"; fi
    done ;;
  esac
done
for entry; do
  case $entry in
  "kill "*)
    pid=\${entry#kill }
    eval "start=\\$start_$pid"
    if [ -n "$start" ] && [ "$start" = "$(started "$pid")" ]; then kill -KILL "$pid"; fi ;;
  esac
done 2>/dev/null
for entry; do
  path=\${entry#* }
  case $entry in
  "socket "*) remove_socket "$path" ;;
  "file "*) if [ -f "$path" ] && [ ! -L "$path" ]; then rm -f -- "$path"; fi ;;
  "folder "*)
    for inside in "$path"/*; do
      remove_socket "$inside"
      case \${inside##*/} in
      plugin[0-9]*) if [ -f "$inside" ] && [ ! -L "$inside" ] && [ ! -s "$inside" ]; then rm -f -- "$inside"; fi ;;
      esac
    done
    rmdir -- "$path" ;;
  esac
done 2>/dev/null
`;

/**
 * A small process that outlives this one by a moment, and ends what is left: nobody sees a SIGKILL, a crash, or the
 * termination of a worker thread, but the end of a pipe is always seen. Started with the first process to be killed,
 * ended with the last, and never in the way of this process's own end.
 */
export class Watchdog {
  readonly #entries = new Set<string>();
  #child: ChildProcess | undefined;
  #stdin: Writable | undefined;

  /** Watches over an entry of the script: `kill PID`, or `socket`, `file` or `folder` and a path. */
  add(entry: string, onUnwatched?: (error: Error) => void): void {
    // The script reads lines. Nobody gives such names by accident, and nothing but a file would be left.
    if (entry.includes("\n")) return;
    this.#entries.add(entry);
    if (this.#stdin !== undefined) this.#stdin.write(`+${entry}\n`);
    else if (entry.startsWith("kill ")) this.#start(onUnwatched ?? (() => {}));
  }

  /** Forgets an entry; with the last process that it had to kill, the watchdog ends. */
  remove(entry: string): void {
    if (!this.#entries.delete(entry)) return;
    this.#stdin?.write(`-${entry}\n`);
    if ([...this.#entries].some((other) => other.startsWith("kill "))) return;
    // What is left are files whose removal is under way in this process.
    for (const other of this.#entries) this.#stdin?.write(`-${other}\n`);
    this.#stdin?.end();
    this.#forget();
  }

  #start(onUnwatched: (error: Error) => void): void {
    if (process.platform === "win32") return;
    if (!existsSync(SHELL)) {
      onUnwatched(new Error(`there is no ${SHELL} to run a watchdog`));
      return;
    }
    // A session of its own: what a terminal sends to the host's group must not end the watchdog before the host.
    const child = builtin.childProcess.spawn(SHELL, ["-c", WATCHDOG_SCRIPT, "goplug-watchdog"], {
      cwd: "/",
      env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin" },
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    const stdin = child.stdin!;
    stdin.on("error", () => {});
    child.on("error", (error) => {
      this.#forget(child);
      onUnwatched(error);
    });
    // One that was killed is replaced when the next process is to be watched over.
    child.on("exit", () => this.#forget(child));
    child.unref();
    (stdin as Partial<{ unref(): void }>).unref?.();
    this.#child = child;
    this.#stdin = stdin;
    for (const entry of this.#entries) stdin.write(`+${entry}\n`);
  }

  #forget(child = this.#child): void {
    if (child !== this.#child) return;
    this.#child = undefined;
    this.#stdin = undefined;
  }
}
