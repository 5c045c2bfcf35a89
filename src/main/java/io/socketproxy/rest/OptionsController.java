package io.socketproxy.rest;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.registry.Sockets;
import io.socketproxy.security.Owner;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** getsockopt(2) and setsockopt(2). */
@RestController
@RequestMapping(path = "/api/v1/sockets/{id}/options/{level}/{name}", produces = MediaType.APPLICATION_JSON_VALUE)
class OptionsController {
    /** As in Python's getsockopt. */
    private static final int MAX_LENGTH = 1024;

    private final Sockets sockets;

    OptionsController(Sockets sockets) {
        this.sockets = sockets;
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record OptionJson(@Nullable Integer value, byte @Nullable [] data) {}

    @GetMapping
    OptionJson getsockopt(
            Owner owner,
            @PathVariable String id,
            @PathVariable Constant level,
            @PathVariable Constant name,
            @RequestParam(required = false) @Nullable Integer length) {
        int levelNumber = level(level);
        int nameNumber = name(name);
        if (length != null && (length < 1 || length > MAX_LENGTH)) {
            throw SocketFault.invalid("length", "length must be 1 to " + MAX_LENGTH + ", not " + length + ".");
        }
        return asArgument(() -> sockets.with(
                owner.name(),
                id,
                handle -> length == null
                        ? new OptionJson(handle.socket().options().get(levelNumber, nameNumber), null)
                        : new OptionJson(null, handle.socket().options().get(levelNumber, nameNumber, length))));
    }

    record OptionRequest(
            @Nullable Long value,
            byte @Nullable [] data,
            @Nullable Integer length) {}

    @PutMapping
    @ResponseStatus(HttpStatus.NO_CONTENT)
    void setsockopt(
            Owner owner,
            @PathVariable String id,
            @PathVariable Constant level,
            @PathVariable Constant name,
            @RequestBody OptionRequest body) {
        int levelNumber = level(level);
        int nameNumber = name(name);
        int given = (body.value() != null ? 1 : 0) + (body.data() != null ? 1 : 0) + (body.length() != null ? 1 : 0);
        if (given != 1) {
            throw SocketFault.invalid(
                    "value", "Give one of value (an integer), data (base64) and length (a null value).");
        }
        Long value = body.value();
        if (value != null && (value < Integer.MIN_VALUE || value > 0xffff_ffffL)) {
            throw SocketFault.invalid("value", "value must be an integer of 32 bits, not " + value + ".");
        }
        byte[] data = body.data();
        Integer length = body.length();
        if (length != null && (length < 0 || length > MAX_LENGTH)) {
            throw SocketFault.invalid("length", "length must be 0 to " + MAX_LENGTH + ", not " + length + ".");
        }
        if (data != null && data.length > MAX_LENGTH) {
            throw SocketFault.invalid("data", "data must be " + MAX_LENGTH + " bytes at most.");
        }
        asArgument(() -> {
            sockets.using(
                    owner.name(),
                    id,
                    handle -> sockets.setOption(handle, options -> {
                        if (value != null) {
                            options.set(levelNumber, nameNumber, value.intValue());
                        } else {
                            options.set(
                                    levelNumber,
                                    nameNumber,
                                    data,
                                    data != null ? data.length : length == null ? 0 : length);
                        }
                    }));
            return true;
        });
    }

    private interface Call<T> {
        T run();
    }

    /** An option's EINVAL and ENOENT are about the argument, where those of other calls are about the socket's state and the target. */
    private static <T> T asArgument(Call<T> call) {
        try {
            return call.run();
        } catch (SocketFault fault) {
            if ((fault.errno() == Errno.EINVAL || fault.errno() == Errno.ENOENT) && fault.field() == null) {
                throw SocketFault.argument(fault.errno(), "value", fault.getMessage());
            }
            throw fault;
        }
    }

    private static int level(Constant level) {
        return level.number("level", "SOL_", "IPPROTO_");
    }

    private static int name(Constant name) {
        return name.number("name", "SO_", "TCP_", "IP_", "IPV6_", "UDP_");
    }
}
