package io.socketproxy.rest;

import io.socketproxy.security.Owner;
import io.swagger.v3.oas.models.Components;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.media.ArraySchema;
import io.swagger.v3.oas.models.media.IntegerSchema;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.media.StringSchema;
import io.swagger.v3.oas.models.security.SecurityRequirement;
import io.swagger.v3.oas.models.security.SecurityScheme;
import org.springdoc.core.utils.SpringDocUtils;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * What the API document that is generated from the code cannot know from the controllers' types.
 *
 * <p>The document that people and client generators read is {@code openapi/openapi.yaml}; this one is there to be compared with it, so
 * that neither drifts, and made only where it is turned on.
 */
@Configuration(proxyBeanMethods = false)
@ConditionalOnBooleanProperty("springdoc.enable-default-api-docs")
class ApiDocument {
    private static final String BEARER = "bearerAuth";

    static {
        SpringDocUtils.getConfig()
                .addRequestWrapperToIgnore(Owner.class)
                .replaceWithSchema(
                        Constant.class,
                        new Schema<>()
                                .addOneOfItem(new StringSchema())
                                .addOneOfItem(new IntegerSchema())
                                .addOneOfItem(new ArraySchema().items(new StringSchema())));
    }

    @Bean
    OpenAPI openApi() {
        return new OpenAPI()
                .components(new Components()
                        .addSecuritySchemes(
                                BEARER,
                                new SecurityScheme()
                                        .type(SecurityScheme.Type.HTTP)
                                        .scheme("bearer")))
                .addSecurityItem(new SecurityRequirement().addList(BEARER));
    }
}
