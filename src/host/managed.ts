interface Killable {
  kill(): Promise<void>;
}

const managed = new Set<Killable>();
let cleanedUp = false;

/** Adds a client to those that {@link cleanupClients} ends. */
export function manage(client: Killable): void {
  managed.add(client);
}

/** Takes a client that has ended out again. */
export function unmanage(client: Killable): void {
  managed.delete(client);
}

/** Ends all clients that were made with `managed: true`, in parallel (go-plugin: CleanupClients). */
export async function cleanupClients(): Promise<void> {
  cleanedUp = true;
  await Promise.all([...managed].map((client) => client.kill()));
}

/**
 * Whether {@link cleanupClients} was called: plugin definitions may then take connection errors as expected
 * (go-plugin: Killed).
 */
export function clientsKilled(): boolean {
  return cleanedUp;
}
