// A minimal WebSocket-to-TCP relay on npm's ws: no authentication, no policy. `node ws-relay.mjs PORT`, then ws://…/?port=TARGET.
import net from 'node:net';
import { WebSocketServer } from 'ws';

const HIGH_WATER = 512 * 1024;

const server = new WebSocketServer({ port: Number(process.argv[2]), host: '127.0.0.1', perMessageDeflate: false });
server.on('connection', (client, request) => {
  const port = Number(new URL(request.url, 'http://localhost').searchParams.get('port'));
  const target = net.connect({ port, host: '127.0.0.1', noDelay: true });
  client.on('message', (data) => {
    if (!target.write(data)) client.pause();
  });
  target.on('drain', () => client.resume());
  target.on('data', (data) => {
    client.send(data, () => {
      if (client.bufferedAmount < HIGH_WATER && target.isPaused()) target.resume();
    });
    if (client.bufferedAmount >= HIGH_WATER) target.pause();
  });
  target.on('end', () => client.close(1000));
  target.on('error', () => client.close(1011));
  client.on('close', () => target.destroy());
  client.on('error', () => target.destroy());
});
