import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.regex.Pattern;

/** The life of a group over Tallyfy's API with HttpClient (Java 17: java Groups.java). */
public class Groups {
    static final String BASE = System.getenv("TALLYFY_BASE_URL") + "/organizations/" + System.getenv("TALLYFY_ORG_ID") + "/";
    static final HttpClient CLIENT = HttpClient.newHttpClient();

    static HttpResponse<String> call(String method, String path, String body) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder()
            .uri(URI.create(BASE + path))
            .header("Authorization", "Bearer " + System.getenv("TALLYFY_ACCESS_TOKEN"))
            .header("Accept", "application/json")
            .header("X-Tallyfy-Client", "APIClient");
        if (body == null) {
            request.method(method, HttpRequest.BodyPublishers.noBody());
        } else {
            request.header("Content-Type", "application/json").method(method, HttpRequest.BodyPublishers.ofString(body));
        }
        return CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    static void check(String what, boolean holds, HttpResponse<String> response) {
        if (!holds) {
            System.err.println(what + ": " + response.statusCode() + " " + response.body());
            System.exit(1);
        }
        System.out.println("ok " + what);
    }

    static List<String> all(String pattern, String text) {
        return Pattern.compile(pattern).matcher(text).results().map(found -> found.group(1)).toList();
    }

    static String group(List<String> members) {
        return "{\"name\":\"Crew of Groups.java " + ProcessHandle.current().pid() + "\",\"description\":\"Made by an example\","
            + "\"members\":[" + String.join(",", members) + "],\"guests\":[\"crew@java.test\"]}";
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        HttpResponse<String> answer = call("GET", "groups?with=assets", null);
        check("list groups", answer.statusCode() == 200 && answer.body().contains("\"members\""), answer);

        answer = call("GET", "users?with=groups", null);
        check("list members with groups", answer.statusCode() == 200 && answer.body().contains("\"groups\""), answer);

        answer = call("GET", "users?per_page=25", null);
        List<String> crew = all("\\{\"id\":\"?(\\d+)", answer.body()).subList(0, 2);
        answer = call("POST", "groups", group(crew));
        check("create group", answer.statusCode() == 200 || answer.statusCode() == 201, answer);
        String path = "groups/" + all("\"id\":\"([0-9a-f]{32})\"", answer.body()).get(0);

        answer = call("GET", path, null);
        check("get group", answer.statusCode() == 200 && answer.body().contains("crew@java.test"), answer);

        answer = call("PUT", path, group(crew.subList(0, 1)));
        check("update group", answer.statusCode() == 200 || answer.statusCode() == 201, answer);

        answer = call("DELETE", path, null);
        check("delete group", answer.statusCode() == 200 || answer.statusCode() == 204, answer);

        answer = call("GET", path, null);
        check("get it no more", answer.statusCode() == 404, answer);
    }
}
