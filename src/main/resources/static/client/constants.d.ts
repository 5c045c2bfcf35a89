/** The constants that the module knows; they are members of every SocketProxy too. */
export interface Constants {
  readonly AF_UNSPEC: number; readonly AF_UNIX: number; readonly AF_INET: number; readonly AF_INET6: number;
  readonly SOCK_STREAM: number; readonly SOCK_DGRAM: number;
  readonly IPPROTO_IP: number; readonly IPPROTO_TCP: number; readonly IPPROTO_UDP: number; readonly IPPROTO_IPV6: number;
  readonly SOL_SOCKET: number; readonly SOMAXCONN: number;
  readonly SO_REUSEADDR: number; readonly SO_TYPE: number; readonly SO_ERROR: number; readonly SO_BROADCAST: number;
  readonly SO_SNDBUF: number; readonly SO_RCVBUF: number; readonly SO_KEEPALIVE: number; readonly SO_LINGER: number;
  readonly SO_REUSEPORT: number; readonly SO_ACCEPTCONN: number;
  readonly TCP_NODELAY: number; readonly TCP_MAXSEG: number; readonly TCP_CORK: number; readonly TCP_KEEPIDLE: number;
  readonly TCP_KEEPINTVL: number; readonly TCP_KEEPCNT: number; readonly TCP_INFO: number; readonly TCP_USER_TIMEOUT: number;
  readonly IP_TOS: number; readonly IP_TTL: number; readonly IPV6_UNICAST_HOPS: number; readonly IPV6_V6ONLY: number;
  readonly MSG_OOB: number; readonly MSG_PEEK: number; readonly MSG_TRUNC: number; readonly MSG_DONTWAIT: number;
  readonly MSG_WAITALL: number; readonly MSG_NOSIGNAL: number;
  readonly SHUT_RD: number; readonly SHUT_WR: number; readonly SHUT_RDWR: number;
  readonly AI_PASSIVE: number; readonly AI_CANONNAME: number; readonly AI_NUMERICHOST: number; readonly AI_V4MAPPED: number;
  readonly AI_ALL: number; readonly AI_ADDRCONFIG: number; readonly AI_NUMERICSERV: number;
  readonly NI_NUMERICHOST: number; readonly NI_NUMERICSERV: number; readonly NI_NOFQDN: number; readonly NI_NAMEREQD: number;
  readonly NI_DGRAM: number;
}

export const constants: Constants;
