/**
 * `import "goplug/capture"` as the first line of a plugin (or `node --import goplug/capture`) holds its stdout back
 * from then on, so that modules imported after it may print while they load. Importing goplug itself does the same,
 * where the environment says that a plugin host started the process; this entry is for those who cannot import
 * goplug first, and holds back in any case, until `serve` is called or the process ends.
 */
import { holdStdout } from "./stdio-capture.js";

holdStdout();
