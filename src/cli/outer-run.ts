// The run a program is in already. Owns the look whether it is still there.
import { connect } from 'node:net';
import { SallyportError } from '../errors/sallyport-error.ts';

/**
 * @param place `127.0.0.1:PORT`
 * @throws SallyportError CONNECT_FAILED when nobody listens there any more
 */
export async function checkOuterRun(place: string): Promise<void> {
  const { hostname, port } = new URL(`http://${place}`);
  const socket = connect({ host: hostname, port: Number(port) });
  const cause = await new Promise((resolve) =>
    socket.once('connect', () => resolve(null)).once('error', resolve),
  );
  socket.destroy();
  if (cause !== null) {
    throw new SallyportError('CONNECT_FAILED', `The sallyport run at ${place} has ended`, {
      cause,
      hint: 'This shell has its environment. Leave it, or begin another run with --proxy.',
    });
  }
}
