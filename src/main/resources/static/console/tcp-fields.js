/** The fields of TCP_INFO as the panel shows them: what the service calls each, what the kernel does, its unit, and what it says. */

import * as format from './format.js';

/** Microseconds as people read them. */
export function time(us) {
  if (us < 1000) {
    return `${us} µs`;
  }
  return us < 1_000_000 ? `${Number((us / 1000).toPrecision(3))} ms` : `${Number((us / 1_000_000).toPrecision(4))} s`;
}

export const segments = (count) => `${format.count(count)} ${count === 1 ? 'segment' : 'segments'}`;

const UNITS = {
  text: (value) => value,
  options: (names) => names.map((name) => name.replace('TCPI_OPT_', '').toLowerCase()).join(', ') || 'none',
  flag: (value) => (value ? 'yes' : 'no'),
  count: format.count,
  scale: (power) => `${power}, × ${format.count(2 ** power)}`,
  us: time,
  measured: (us) => (us === 0 ? 'not measured' : time(us)),
  ms: (value) => time(value * 1000),
  bytes: (value) => `${format.count(value)} B`,
  segments,
  rate: format.rate,
};

/** `[key, name, unit, what it says, what null says]`, in groups. */
export const GROUPS = [
  ['Connection', [
    ['state', 'state', 'text', 'State of the connection, RFC 9293'],
    ['congestion', 'TCP_CONGESTION', 'text', 'Congestion control'],
    ['caState', 'ca_state', 'text', 'State of congestion control'],
    ['options', 'options', 'options', 'Negotiated with the peer, or seen of it'],
    ['sndWscale', 'snd_wscale', 'scale', 'Scale of the windows that the peer announces'],
    ['rcvWscale', 'rcv_wscale', 'scale', 'Scale of the windows that the peer is told'],
    ['acceptQueue', 'unacked', 'count', 'Connections that wait for accept'],
    ['backlog', 'sacked', 'count', 'How many may wait'],
  ]],
  ['Round trip', [
    ['rttUs', 'rtt', 'measured', 'Smoothed round-trip time'],
    ['rttvarUs', 'rttvar', 'us', 'Its mean deviation'],
    ['minRttUs', 'min_rtt', 'us', 'Shortest of late', 'not measured'],
    ['rtoUs', 'rto', 'us', 'Retransmission timeout'],
    ['rcvRttUs', 'rcv_rtt', 'measured', 'Round-trip time as the receiver estimates it'],
    ['atoUs', 'ato', 'us', 'Delayed acknowledgement timeout'],
  ]],
  ['Sending', [
    ['sndCwndSegments', 'snd_cwnd', 'segments', 'Congestion window: how many may be under way'],
    ['sndSsthreshSegments', 'snd_ssthresh', 'segments', 'Slow start ends there', 'no limit yet'],
    ['sndWndBytes', 'snd_wnd', 'bytes', 'Window that the peer offers'],
    ['unackedSegments', 'unacked', 'segments', 'Sent and not acknowledged'],
    ['notsentBytes', 'notsent_bytes', 'bytes', 'In the send buffer, not sent yet'],
    ['deliveryRateBytesPerSecond', 'delivery_rate', 'rate', 'Rate at which the peer got data lately'],
    ['deliveryRateAppLimited', 'delivery_rate_app_limited', 'flag', 'Whether there was too little to send to measure more'],
    ['pacingRateBytesPerSecond', 'pacing_rate', 'rate', 'Rate at which segments go out at most', 'not paced'],
    ['maxPacingRateBytesPerSecond', 'max_pacing_rate', 'rate', 'Its limit, SO_MAX_PACING_RATE', 'no limit'],
    ['bytesAcked', 'bytes_acked', 'bytes', 'Acknowledged by the peer, with one for the SYN'],
    ['bytesSent', 'bytes_sent', 'bytes', 'Sent, retransmissions included'],
    ['segsOut', 'segs_out', 'segments', 'Sent, with bare acknowledgements'],
    ['dataSegsOut', 'data_segs_out', 'segments', 'Sent with data'],
    ['deliveredSegments', 'delivered', 'segments', 'Delivered'],
  ]],
  ['Loss and its repair', [
    ['totalRetransSegments', 'total_retrans', 'segments', 'Retransmitted altogether'],
    ['bytesRetrans', 'bytes_retrans', 'bytes', 'Retransmitted altogether'],
    ['retransSegments', 'retrans', 'segments', 'Retransmitted, not acknowledged'],
    ['lostSegments', 'lost', 'segments', 'Taken for lost, of those under way'],
    ['sackedSegments', 'sacked', 'segments', 'Acknowledged out of order, of those under way'],
    ['retransmits', 'retransmits', 'count', 'Retransmissions in a row without an answer'],
    ['backoff', 'backoff', 'count', 'How often the timeout was doubled'],
    ['probes', 'probes', 'count', 'Probes in a row without an answer'],
    ['totalRto', 'total_rto', 'count', 'Retransmission timeouts'],
    ['totalRtoRecoveries', 'total_rto_recoveries', 'count', 'Recoveries from them'],
    ['totalRtoTimeMs', 'total_rto_time', 'ms', 'Time in recovery'],
    ['dsackDups', 'dsack_dups', 'count', 'Duplicates that the peer told of'],
    ['reorderingSegments', 'reordering', 'segments', 'Reordered by that much, one does not count as lost yet'],
    ['reordSeen', 'reord_seen', 'count', 'How often reordering was seen'],
    ['rehash', 'rehash', 'count', 'How often another path was tried'],
  ]],
  ['Receiving', [
    ['bytesReceived', 'bytes_received', 'bytes', 'Received in order'],
    ['segsIn', 'segs_in', 'segments', 'Received'],
    ['dataSegsIn', 'data_segs_in', 'segments', 'Received with data'],
    ['rcvOoopackSegments', 'rcv_ooopack', 'segments', 'Received out of order'],
    ['rcvWndBytes', 'rcv_wnd', 'bytes', 'Window that the peer is offered'],
    ['rcvSpaceBytes', 'rcv_space', 'bytes', 'A round trip’s data that the buffer is tuned for'],
    ['rcvSsthreshBytes', 'rcv_ssthresh', 'bytes', 'How far the window may grow now'],
  ]],
  ['Sizes', [
    ['sndMssBytes', 'snd_mss', 'bytes', 'Longest segment to send'],
    ['rcvMssBytes', 'rcv_mss', 'bytes', 'Longest segment that comes, as estimated'],
    ['advmssBytes', 'advmss', 'bytes', 'Longest segment that the peer is told'],
    ['pmtuBytes', 'pmtu', 'bytes', 'Path MTU'],
  ]],
  ['What was the limit', [
    ['busyTimeUs', 'busy_time', 'us', 'How long there was data to send'],
    ['rwndLimitedUs', 'rwnd_limited', 'us', 'Of that, waiting for the peer’s window'],
    ['sndbufLimitedUs', 'sndbuf_limited', 'us', 'Of that, short of send buffer'],
    ['lastDataSentMs', 'last_data_sent', 'ms', 'Since data was sent'],
    ['lastDataRecvMs', 'last_data_recv', 'ms', 'Since data came'],
    ['lastAckRecvMs', 'last_ack_recv', 'ms', 'Since an acknowledgement came'],
  ]],
  ['Congestion marks, ECN', [
    ['deliveredCeSegments', 'delivered_ce', 'segments', 'Delivered, and marked on the way'],
    ['receivedCeSegments', 'received_ce', 'segments', 'Received with a mark'],
    ['deliveredE1Bytes', 'delivered_e1_bytes', 'bytes', 'Delivered with ECT(1)'],
    ['deliveredE0Bytes', 'delivered_e0_bytes', 'bytes', 'Delivered with ECT(0)'],
    ['deliveredCeBytes', 'delivered_ce_bytes', 'bytes', 'Delivered with a mark'],
    ['receivedE1Bytes', 'received_e1_bytes', 'bytes', 'Received with ECT(1)'],
    ['receivedE0Bytes', 'received_e0_bytes', 'bytes', 'Received with ECT(0)'],
    ['receivedCeBytes', 'received_ce_bytes', 'bytes', 'Received with a mark'],
  ]],
];

/** A field's value as text. */
export function valueText(unit, value, none = '–') {
  return value === null ? none : UNITS[unit](value);
}
