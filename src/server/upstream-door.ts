// What the local proxy needs of an `Upstream`: so that one whose settings change can stand in its place.
import type { Upstream } from '../upstream/upstream.ts';

export type UpstreamDoor = Pick<Upstream, 'openTunnel' | 'relay'>;
