package io.socketproxy.http;

import java.io.Writer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.deser.jdk.StringDeserializer;

/** Strings of JSON: an unpaired surrogate (RFC 8259 section 8.2) is no character, and nobody sends a question mark in its place. */
public final class JsonText {
    private static final String UNPAIRED = "has an unpaired surrogate, which is no character";

    private JsonText() {}

    private static boolean hasUnpairedSurrogate(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(c)) {
                return true;
            }
        }
        return false;
    }

    /** Names, addresses and the like. */
    static final class Strict extends ValueDeserializer<String> {
        @Override
        public @Nullable String deserialize(JsonParser json, DeserializationContext context) {
            String text = StringDeserializer.instance.deserialize(json, context);
            if (text != null && hasUnpairedSurrogate(text)) {
                throw new UnfitValue(json, UNPAIRED);
            }
            return text;
        }
    }

    /** Text that is to be sent: its bytes in UTF-8, without a string in between. */
    public static final class Utf8 extends ValueDeserializer<byte[]> {
        @Override
        public byte @Nullable [] deserialize(JsonParser json, DeserializationContext context) {
            if (!json.hasToken(JsonToken.VALUE_STRING)) {
                throw new UnfitValue(json, "must be a string");
            }
            Encoder measured = new Encoder(null);
            json.getString(measured);
            if (measured.isUnpaired()) {
                throw new UnfitValue(json, UNPAIRED);
            }
            byte[] bytes = new byte[measured.length];
            json.getString(new Encoder(bytes));
            return bytes;
        }
    }

    /** Encodes what is written to it; first without a target, to learn the length. */
    private static final class Encoder extends Writer {
        private final byte @Nullable [] target;
        private int length;
        private int high;
        private boolean unpaired;

        Encoder(byte @Nullable [] target) {
            this.target = target;
        }

        boolean isUnpaired() {
            return unpaired || high != 0;
        }

        @Override
        public void write(char[] chars, int offset, int count) {
            for (int i = offset; i < offset + count; i++) {
                char c = chars[i];
                if (high != 0) {
                    unpaired |= !Character.isLowSurrogate(c);
                    int point = Character.toCodePoint((char) high, c);
                    high = 0;
                    put(0xf0 | point >> 18, point >> 12, point >> 6, point);
                } else if (Character.isHighSurrogate(c)) {
                    high = c;
                } else if (c < 0x80) {
                    put(c);
                } else if (c < 0x800) {
                    put(0xc0 | c >> 6, c);
                } else {
                    unpaired |= Character.isSurrogate(c);
                    put(0xe0 | c >> 12, c >> 6, c);
                }
            }
        }

        /** The first byte as it is, of the others the lower six bits. */
        private void put(int first, int... others) {
            if (target == null) {
                length += 1 + others.length;
                return;
            }
            target[length++] = (byte) first;
            for (int other : others) {
                target[length++] = (byte) (0x80 | other & 0x3f);
            }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}
