package notes;

import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.annotation.WebListener;

/** Makes the table before the first request. Without a database the application does not start. */
@WebListener
public final class Start implements ServletContextListener {
  @Override
  public void contextInitialized(ServletContextEvent event) {
    try {
      Class.forName("org.mariadb.jdbc.Driver");
      Database database = new Database();
      database.prepare();
      event.getServletContext().setAttribute("database", database);
    } catch (Exception error) {
      throw new IllegalStateException("the database cannot be used", error);
    }
  }
}
