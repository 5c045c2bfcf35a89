package io.socketproxy.cluster;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;

/** The key that this node signs with, until it ends; nobody else has it. */
final class NodeKey {
    private final ECKey pair;

    NodeKey() {
        try {
            pair = new ECKeyGenerator(Curve.P_256).generate();
        } catch (JOSEException e) {
            throw new IllegalStateException("no key of P-256 can be made", e);
        }
    }

    ECKey pair() {
        return pair;
    }

    /** Its public half, a JWK in JSON. */
    String publicHalf() {
        return pair.toPublicJWK().toJSONString();
    }
}
