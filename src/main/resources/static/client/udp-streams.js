import { addressed, bytesOf, unaddressed } from './codec.js';
import { aborted, socketError } from './errors.js';
import { SocketStreams } from './socket-streams.js';
import { IDL, dictionary, integer } from './web-idl.js';

/** Like a kernel's receive buffer: a datagram that finds it full is dropped. */
const BUFFER_BYTES = 1024 * 1024;
const QUEUE = 32;
/** The largest payload of UDP over IPv4. */
const MAX_BYTES = 65_507;

/** Messages each way, with addresses where the socket is bound and not connected. */
export class DatagramStreams extends SocketStreams {
  #input;
  #output;
  #bound;
  #resolve;
  #queue = [];
  #queuedBytes = 0;

  constructor(open, { bound, resolve }) {
    super(open, 'readable', 'writable');
    this.#bound = bound;
    this.#resolve = resolve;
    this.readable = new ReadableStream({
      start: (controller) => void (this.#input = controller),
      pull: () => this.#fill(),
      cancel: () => void this.halves.close('readable'),
    }, { highWaterMark: QUEUE });
    this.writable = new WritableStream({
      start: (controller) => void (this.#output = controller),
      write: (message) => this.#write(message),
      close: () => void this.halves.close('writable'),
      abort: () => void this.halves.close('writable'),
    }, { highWaterMark: 1 });
  }

  data(frame) {
    if (this.halves.isOpen('readable') && this.#queuedBytes + frame.length <= BUFFER_BYTES) {
      this.#queue.push(frame);
      this.#queuedBytes += frame.length;
      this.#fill();
    }
  }

  /** Of an unconnected socket it is about one message that was sent; of a connected one it is about the peer. */
  fault(error) {
    this.#fail(aborted(error), this.#bound ? ['writable'] : ['readable', 'writable']);
  }

  end(error) {
    this.#fail(aborted(error ?? socketError('ECONNABORTED', 'The service closed the socket.')), ['readable', 'writable']);
  }

  #fail(failure, names) {
    for (const name of names) {
      if (this.halves.isOpen(name)) {
        (name === 'readable' ? this.#input : this.#output).error(failure);
        this.halves.close(name, failure);
      }
    }
  }

  #fill() {
    while (this.#queue.length > 0 && this.#input.desiredSize > 0) {
      const frame = this.#queue.shift();
      this.#queuedBytes -= frame.length;
      this.#input.enqueue(this.#bound ? unaddressed(frame) : { data: frame });
    }
  }

  async #write(chunk) {
    try {
      const frame = await this.#frame(chunk);
      const link = await this.link;
      await link.sendDatagram(frame, this.#output.signal);
    } catch (error) {
      throw this.broken(error, this.#output.signal);
    }
  }

  async #frame(chunk) {
    const message = dictionary(chunk, {
      data: (value) => bytesOf(value, "UDPMessage: 'data'").slice(),
      remoteAddress: IDL.string,
      remotePort: (value) => integer(value, 0x10000),
      dnsQueryType: IDL.dnsQueryType,
    }, 'UDPMessage');
    const { data, remoteAddress, remotePort, dnsQueryType } = message;
    if (!data) {
      throw new TypeError("UDPMessage: missing 'data' field.");
    }
    if ((remoteAddress === undefined) !== (remotePort === undefined)) {
      throw new TypeError("UDPMessage: either none or both 'remoteAddress' and 'remotePort' fields must be specified.");
    }
    if (!this.#bound && remoteAddress !== undefined) {
      throw new TypeError("UDPMessage: 'remoteAddress' and 'remotePort' must not be specified in 'connected' mode.");
    }
    if (this.#bound && remoteAddress === undefined) {
      throw new TypeError("UDPMessage: 'remoteAddress' and 'remotePort' must be specified in 'bound' mode.");
    }
    if (!this.#bound && dnsQueryType !== undefined) {
      throw new TypeError("UDPMessage: 'dnsQueryType' must not be specified in 'connected' mode.");
    }
    if (data.length === 0) {
      throw new TypeError("UDPMessage: 'data' field must not be empty.");
    }
    if (data.length > MAX_BYTES) {
      throw socketError('EMSGSIZE', `A datagram holds at most ${MAX_BYTES} bytes, not ${data.length}.`);
    }
    return this.#bound ? addressed(data, await this.#resolve(remoteAddress, dnsQueryType), remotePort) : data;
  }
}
