package io.socketproxy.rest;

import io.socketproxy.address.AddrInfo;
import io.socketproxy.address.GaiError;
import io.socketproxy.address.InetText;
import io.socketproxy.address.Resolver;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.security.Owner;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Names, addresses, services and constants. */
@RestController
@RequestMapping(path = "/api/v1", produces = MediaType.APPLICATION_JSON_VALUE)
class NamesController {
    private static final int NI_NUMERICHOST = Constants.require("NI_NUMERICHOST");
    private static final int NI_NAMEREQD = Constants.require("NI_NAMEREQD");
    private static final int AI_NUMERICHOST = Constants.require("AI_NUMERICHOST");

    /** libc would take a blank or a plus in front of a number. */
    private static final Pattern SERVICE = Pattern.compile("|[!-*,-~][!-~]{0,255}");

    private final Resolver resolver;
    private final Disclosure disclosure;

    NamesController(Resolver resolver, Disclosure disclosure) {
        this.resolver = resolver;
        this.disclosure = disclosure;
    }

    record AddrInfoJson(int family, int type, int proto, String canonname, AddressJson sockaddr) {}

    @GetMapping("/getaddrinfo")
    List<AddrInfoJson> getaddrinfo(
            Owner owner,
            @RequestParam(required = false) @Nullable String host,
            @RequestParam(required = false) @Nullable String port,
            @RequestParam(required = false) @Nullable Constant family,
            @RequestParam(required = false) @Nullable Constant type,
            @RequestParam(required = false) @Nullable Constant proto,
            @RequestParam(required = false) @Nullable Constant flags) {
        if (port != null && !SERVICE.matcher(port).matches()) {
            throw SocketFault.invalid(
                    "port", "port must be a number, or the name of a service in ASCII without blanks.");
        }
        List<AddrInfo> infos;
        try {
            infos = resolver.getaddrinfo(
                    owner.name(),
                    host,
                    port,
                    Constant.numberOr(family, Constants.AF_UNSPEC, "family", "AF_"),
                    Constant.numberOr(type, 0, "type", "SOCK_"),
                    Constant.numberOr(proto, 0, "proto", "IPPROTO_"),
                    Constant.numberOr(flags, 0, "flags", "AI_"));
        } catch (IllegalArgumentException e) {
            throw SocketFault.invalid("host", String.valueOf(e.getMessage()));
        }
        if (host != null) {
            infos = infos.stream()
                    .filter(info -> disclosure.tells(host, info.address()))
                    .toList();
            if (infos.isEmpty()) {
                throw new GaiError(GaiError.EAI_NONAME, null, host);
            }
        }
        return infos.stream()
                .map(info -> new AddrInfoJson(
                        info.family(),
                        info.type(),
                        info.proto(),
                        info.canonname() == null ? "" : info.canonname(),
                        AddressJson.of(info.address())))
                .toList();
    }

    @GetMapping("/getnameinfo")
    Resolver.NameInfo getnameinfo(
            Owner owner,
            @RequestParam String host,
            @RequestParam int port,
            @RequestParam(required = false) @Nullable Constant flags,
            @RequestParam(required = false) @Nullable Long flowinfo,
            @RequestParam(required = false) @Nullable Long scopeId) {
        int numberFlags = Constant.numberOr(flags, 0, "flags", "NI_");
        var endpoint = new AddressJson(host, port, flowinfo, scopeId, null).endpoint();
        SockAddr address;
        try {
            List<AddrInfo> infos = resolver.getaddrinfo(
                    owner.name(),
                    host,
                    Integer.toString(port),
                    Constants.AF_UNSPEC,
                    Constants.SOCK_DGRAM,
                    0,
                    AI_NUMERICHOST);
            address = Resolver.withScope(infos.getFirst().address(), endpoint);
        } catch (IllegalArgumentException e) {
            throw SocketFault.invalid("host", String.valueOf(e.getMessage()));
        }
        if ((numberFlags & NI_NUMERICHOST) == 0 && !disclosure.tellsNames(address)) {
            if ((numberFlags & NI_NAMEREQD) != 0) {
                throw new GaiError(GaiError.EAI_NONAME, null, host);
            }
            numberFlags |= NI_NUMERICHOST;
        }
        return resolver.getnameinfo(owner.name(), address, numberFlags);
    }

    record PortJson(int port) {}

    @GetMapping("/getservbyname")
    PortJson getservbyname(
            Owner owner, @RequestParam String name, @RequestParam(required = false) @Nullable String proto) {
        int port = checked("name", () -> resolver.getservbyname(owner.name(), name, proto));
        if (port < 0) {
            throw SocketFault.invalid("name", "The server knows no service " + name + ofProtocol(proto) + ".");
        }
        return new PortJson(port);
    }

    record NameJson(String name) {}

    @GetMapping("/getservbyport")
    NameJson getservbyport(
            Owner owner, @RequestParam int port, @RequestParam(required = false) @Nullable String proto) {
        if (port < 0 || port > 65_535) {
            throw SocketFault.invalid("port", "port must be 0-65535, not " + port + ".");
        }
        String name = checked("proto", () -> resolver.getservbyport(owner.name(), port, proto));
        if (name == null) {
            throw SocketFault.invalid("port", "The server knows no service at port " + port + ofProtocol(proto) + ".");
        }
        return new NameJson(name);
    }

    private static String ofProtocol(@Nullable String proto) {
        return proto == null ? "" : " of protocol " + proto;
    }

    record PackedJson(byte[] packed, String hex) {}

    @GetMapping("/inet_aton")
    PackedJson inet_aton(@RequestParam String ip) {
        byte[] packed = checked("ip", () -> InetText.aton(ip));
        if (packed == null) {
            throw SocketFault.invalid(
                    "ip", "ip must be an IPv4 address as inet_aton reads it: 192.0.2.1, 0xc0000201, 192.513 …");
        }
        return packed(packed);
    }

    record TextJson(String ip) {}

    @GetMapping("/inet_ntoa")
    TextJson inet_ntoa(@RequestParam String packed) {
        return new TextJson(checked("packed", () -> InetText.ntoa(bytes(packed))));
    }

    @GetMapping("/inet_pton")
    PackedJson inet_pton(@RequestParam Constant family, @RequestParam String ip) {
        byte[] packed = checked("ip", () -> InetText.pton(internetFamily(family), ip));
        if (packed == null) {
            throw SocketFault.invalid("ip", "ip must be an address of this family, written out.");
        }
        return packed(packed);
    }

    @GetMapping("/inet_ntop")
    TextJson inet_ntop(@RequestParam Constant family, @RequestParam String packed) {
        return new TextJson(checked("packed", () -> InetText.ntop(internetFamily(family), bytes(packed))));
    }

    @GetMapping("/constants")
    Map<String, Long> constants() {
        return Constants.all();
    }

    private static int internetFamily(Constant family) {
        int number = family.number("family", "AF_");
        if (!Resolver.isInternet(number)) {
            throw SocketFault.argument(Errno.EAFNOSUPPORT, "family", "The family must be AF_INET or AF_INET6.");
        }
        return number;
    }

    private static PackedJson packed(byte[] packed) {
        return new PackedJson(packed, HexFormat.of().formatHex(packed));
    }

    /** Base64 in either alphabet, padded or not; a plus that came as a space is one that nobody escaped. */
    private static byte[] bytes(String base64) {
        String standard = base64.replace(' ', '+').replace('-', '+').replace('_', '/');
        try {
            return Base64.getDecoder().decode(standard);
        } catch (IllegalArgumentException e) {
            throw SocketFault.invalid("packed", "packed must be an address of 4 or 16 bytes in base64.");
        }
    }

    private interface Call<T extends @Nullable Object> {
        T run();
    }

    private static <T extends @Nullable Object> T checked(String field, Call<T> call) {
        try {
            return call.run();
        } catch (IllegalArgumentException e) {
            throw SocketFault.invalid(field, String.valueOf(e.getMessage()));
        }
    }
}
