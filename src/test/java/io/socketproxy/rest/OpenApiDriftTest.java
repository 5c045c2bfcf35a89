package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

class OpenApiDriftTest {
    private static final YAMLMapper YAML = new YAMLMapper();

    private static final String CONTRACT = """
            security: [{bearerAuth: []}]
            paths:
              /api/v1/things/{id}:
                parameters:
                  - {$ref: '#/components/parameters/Id'}
                post:
                  operationId: make
                  description: Said at length.
                  parameters:
                    - {name: size, in: query, required: true, schema: {type: integer}}
                    - {name: flags, in: query, schema: {type: [string, 'null']}}
                  requestBody:
                    content:
                      application/json: {schema: {oneOf: [{$ref: '#/components/schemas/Text'}, {properties: {data: {type: string}}}]}}
                      application/octet-stream: {schema: {type: string}}
                  responses:
                    '201': {content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
                    '204': {description: Nothing.}
                    '404': {description: No such thing.}
              /actuator/health: {get: {operationId: health}}
            components:
              parameters:
                Id: {name: id, in: path, required: true, schema: {type: string}}
              schemas:
                Text: {properties: {text: {type: string}}}
                Thing: {properties: {id: {type: string}, parts: {type: array, items: {$ref: '#/components/schemas/Thing'}}}}
            """;

    /** The same interface, written as a generator writes it: in other words, in another order, without references. */
    private static final String CODE = """
            security: [{bearerAuth: []}]
            paths:
              /api/v1/things/{id}:
                post:
                  operationId: make
                  parameters:
                    - {name: flags, in: query, required: false, schema: {type: string}}
                    - {name: size, in: query, required: true, schema: {type: integer, format: int32}}
                    - {name: id, in: path, required: true, schema: {type: string}}
                  requestBody:
                    content:
                      application/octet-stream: {schema: {type: string, format: binary}}
                      application/json: {schema: {properties: {text: {type: string}, data: {type: string}}}}
                  responses:
                    '201': {content: {application/json: {schema: {properties: {id: {type: string}, parts: {type: array}}}}}}
                    '204': {description: No content}
              /api/v1/sockets/{id}/stream: {get: {operationId: stream}}
            """;

    @Test
    void theSameInterfaceInOtherWordsHasNoDifference() {
        assertThat(OpenApiDrift.differences(YAML.readTree(CONTRACT), YAML.readTree(CODE)))
                .isEmpty();
    }

    @ParameterizedTest(name = "{2}")
    @CsvSource(delimiter = ';', quoteCharacter = '`', textBlock = """
            /things/{id}:            ; /thing/{id}:            ; operation /api/v1/things/{id} post only in the contract
            /things/{id}:            ; /thing/{id}:            ; operation /api/v1/thing/{id} post only in the code
            post:                    ; put:                    ; operation /api/v1/things/{id} put only in the code
            operationId: make        ; operationId: make_1     ; /api/v1/things/{id} post: operationId is make in the contract, make_1 in the code
            name: size               ; name: length            ; /api/v1/things/{id} post: parameter query size only in the contract
            name: size               ; name: length            ; /api/v1/things/{id} post: parameter query length only in the code
            size, in: query          ; size, in: header        ; /api/v1/things/{id} post: parameter header size only in the code
            query, required: false   ; query, required: true   ; /api/v1/things/{id} post: parameter query flags: required is false in the contract, true in the code
            type: integer, format: int32; type: string         ; /api/v1/things/{id} post: parameter query size: type is integer in the contract, string in the code
            octet-stream             ; pdf                     ; /api/v1/things/{id} post: request media type application/pdf only in the code
            text: {type              ; txt: {type              ; /api/v1/things/{id} post: request property text only in the contract
            text: {type              ; txt: {type              ; /api/v1/things/{id} post: request property txt only in the code
            '201'                    ; '200'                   ; /api/v1/things/{id} post: success status 200 only in the code
            '201'                    ; '200'                   ; /api/v1/things/{id} post: success status 201 only in the contract
            '201': {content: {application/json; '201': {content: {text/plain; /api/v1/things/{id} post: 201 media type text/plain only in the code
            properties: {id          ; properties: {key        ; /api/v1/things/{id} post: 201 property key only in the code
            '204'                    ; '418'                   ; /api/v1/things/{id} post: error status 418 only in the code
            security: [{bearerAuth: []}]; security: []         ; /api/v1/things/{id} post: security is [bearerAuth] in the contract, [] in the code
            """)
    void aDifferenceIsTold(String was, String becomes, String told) {
        assertThat(CODE).contains(was);
        JsonNode changed = YAML.readTree(CODE.replace(was, becomes));
        assertThat(OpenApiDrift.differences(YAML.readTree(CONTRACT), changed)).contains(told);
    }

    @Test
    void anErrorStatusThatTheCodeLeavesToTheHandlerIsNoDifference() {
        JsonNode code = YAML.readTree(CODE.replace("'204': {description: No content}", "'204': {}\n        '404': {}"));
        assertThat(OpenApiDrift.differences(YAML.readTree(CONTRACT), code)).isEmpty();
    }

    @Test
    void theContractDoesNotDifferFromItself() {
        JsonNode contract = YAML.readTree(Path.of("openapi/openapi.yaml"));
        assertThat(OpenApiDrift.differences(contract, contract)).isEmpty();
        assertThat(OpenApiDrift.differences(contract, YAML.readTree("paths: {}")))
                .hasSizeGreaterThan(30);
    }
}
