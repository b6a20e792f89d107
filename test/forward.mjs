// Runs inside a machine's namespace: its 127.0.0.1:PORT leads to a unix socket, which knows no namespaces.
import { connect, createServer } from 'node:net';

const [port, path] = process.argv.slice(2);
createServer((client) => {
  const upstream = connect(path);
  const drop = () => {
    client.destroy();
    upstream.destroy();
  };
  client.on('error', drop).on('close', drop);
  upstream.on('error', drop).on('close', drop);
  client.pipe(upstream).pipe(client);
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
