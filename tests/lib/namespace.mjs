// For peers that gather no loopback candidates (Firefox, aiortc): the test file runs again in a network namespace of its own,
// with one address that leads nowhere else.
import {spawnSync} from 'node:child_process';

/** The address inside, for the gateway's media. */
export const address = '10.213.0.1';

// A pair of interfaces, since a dummy one needs a kernel module that is not everywhere.
const setup = `
  ip link set lo up && ip link add media0 type veth peer name media1 && ip link set media1 up &&
  ip address add ${address}/24 dev media0 && ip link set media0 up && ip route add default dev media0`;

function command() {
  const ways = [['unshare', '--net'], ['unshare', '--user', '--map-root-user', '--net']];
  return ways.find(([program, ...args]) => spawnSync(program, [...args, 'sh', '-c', setup]).status === 0);
}

/**
 * Does not return outside: the process ends with the inner one. Returns why there is no namespace, or undefined inside it.
 * To be called first in a test file.
 */
export function enterNamespace() {
  if (process.env.CARDEA_NAMESPACE) return undefined;
  const way = command();
  if (!way) return 'no network namespace can be made here: it needs root, or user namespaces, and iproute2';
  const [program, ...args] = way;
  const {status, signal} = spawnSync(program, [...args, 'sh', '-c', `${setup} && exec "$@"`, 'sh', process.execPath, ...process.execArgv,
    process.argv[1]], {stdio: 'inherit', env: {...process.env, CARDEA_NAMESPACE: address}});
  process.exit(status ?? (signal ? 1 : 0));
}
