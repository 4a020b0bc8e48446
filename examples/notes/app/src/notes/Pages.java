package notes;

import jakarta.servlet.ServletException;
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.sql.SQLException;

/** GET /status, POST /sign-in with user=…, GET /visit, GET and POST /notes with text=…. Answers are plain text. */
@WebServlet({"/status", "/sign-in", "/visit", "/notes"})
public final class Pages extends HttpServlet {
  private static final String VERSION = "good";

  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response) throws ServletException, IOException {
    response.setContentType("text/plain;charset=UTF-8");
    String path = request.getServletPath();
    try {
      switch (path) {
        case "/status" -> status(request, response);
        case "/sign-in" -> signIn(request, response);
        default -> {
          HttpSession session = request.getSession(false);
          Visit visit = session == null ? null : (Visit) session.getAttribute("visit");
          if (visit == null) {
            response.setStatus(401);
            response.getWriter().println("sign in first");
            return;
          }
          visit.requests++;
          session.setAttribute("visit", visit);
          if (path.equals("/visit")) response.getWriter().println(visit.user + " " + visit.requests);
          else notes(request, response, visit);
        }
      }
    } catch (SQLException error) {
      throw new ServletException(error);
    }
  }

  private Database database() {
    return (Database) getServletContext().getAttribute("database");
  }

  private void status(HttpServletRequest request, HttpServletResponse response) throws IOException, SQLException {
    database().of("nobody");
    response.getWriter().println("notes " + VERSION + " for " + request.getRemoteAddr() + " over " + request.getScheme());
  }

  private void signIn(HttpServletRequest request, HttpServletResponse response) throws IOException {
    String user = request.getParameter("user");
    if (!request.getMethod().equals("POST") || user == null || user.isBlank()) {
      response.sendError(400);
      return;
    }
    HttpSession session = request.getSession();
    request.changeSessionId();
    session.setAttribute("visit", new Visit(user));
    response.getWriter().println("welcome, " + user);
  }

  private void notes(HttpServletRequest request, HttpServletResponse response, Visit visit) throws IOException, SQLException {
    String text = request.getParameter("text");
    if (request.getMethod().equals("POST") && text != null) database().add(visit.user, text);
    for (String note : database().of(visit.user)) response.getWriter().println(note);
  }
}
