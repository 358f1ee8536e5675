// The progress line of a download on a terminal: bytes, percent, speed, time left. Owns that one line.

const REDRAW_MS = 100;
/** Speed is averaged over about this long, so that the time left does not jump. */
const AVERAGE_MS = 3000;
const MAX_LABEL_CHARS = 20;
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

interface ProgressOptions {
  /** Bytes that were there before. */
  readonly already?: number;
  /** What it is about, where several lines stand one below the other. */
  readonly label?: string;
}

export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #total: number | null;
  readonly #started: number;
  readonly #already: number;
  readonly #label: string;
  #bytes: number;
  #drawnAt = 0;
  #rate = 0;
  #ratedAt: number;
  #ratedBytes: number;

  /** @param total in bytes, or `null` when it was not announced */
  constructor(out: NodeJS.WriteStream, total: number | null, options: ProgressOptions = {}) {
    const { already = 0, label = '' } = options;
    this.#out = out;
    this.#total = total;
    this.#already = already;
    this.#label = label === '' ? '' : `${shorten(label)}  `;
    this.#bytes = already;
    this.#ratedBytes = already;
    this.#started = performance.now();
    this.#ratedAt = this.#started;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    const now = performance.now();
    if (now - this.#drawnAt >= REDRAW_MS) {
      this.#average(now);
      this.#draw(now);
    }
  }

  /** All of it goes once more. */
  restart(): void {
    this.#bytes = this.#already;
    this.#ratedBytes = this.#already;
  }

  /** Leaves the last state standing, on a line of its own. */
  end(): void {
    const now = performance.now();
    this.#rate = (this.#bytes - this.#already) / Math.max((now - this.#started) / 1000, 0.001);
    this.#draw(now);
    this.#out.write('\n');
  }

  #average(now: number): void {
    if (now - this.#started < AVERAGE_MS) {
      // What was buffered comes in a burst: the mean since the start is nearer the truth.
      const came = this.#bytes - this.#already;
      this.#rate = (came * 1000) / Math.max(now - this.#started, REDRAW_MS);
      this.#ratedAt = now;
      this.#ratedBytes = this.#bytes;
      return;
    }
    const elapsed = now - this.#ratedAt;
    const latest = ((this.#bytes - this.#ratedBytes) * 1000) / Math.max(elapsed, 1);
    const weight = Math.min(elapsed / AVERAGE_MS, 1);
    this.#rate += (latest - this.#rate) * weight;
    this.#ratedAt = now;
    this.#ratedBytes = this.#bytes;
  }

  #draw(now: number): void {
    this.#drawnAt = now;
    // A terminal that does not tell its size has 0 columns.
    const columns = this.#out.columns || 80;
    this.#out.write(`\r${(this.#label + this.#line()).slice(0, columns - 1)}\u001b[K`);
  }

  #line(): string {
    const speed = `${formatBytes(this.#rate)}/s`;
    if (this.#total === null || this.#total === 0) {
      return `${formatBytes(this.#bytes)}  ${speed}`;
    }
    const share = Math.min(this.#bytes / this.#total, 1);
    const bar = '#'.repeat(Math.round(share * 20)).padEnd(20, '.');
    const left =
      this.#rate > 0 ? (this.#total - this.#bytes) / this.#rate : Number.POSITIVE_INFINITY;
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    return `[${bar}] ${percent}  ${formatBytes(this.#bytes)} of ${formatBytes(this.#total)}  ${speed}  ${formatTime(left)} left`;
  }
}

/** A long name must not push the figures off the line. */
function shorten(label: string): string {
  return label.length > MAX_LABEL_CHARS ? `${label.slice(0, MAX_LABEL_CHARS - 3)}...` : label;
}

/** 1536 -> `1.5 KiB` */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** 75 -> `1:15` */
export function formatTime(seconds: number): string {
  if (!Number.isFinite(seconds)) {
    return '-:--';
  }
  const whole = Math.ceil(seconds);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}
